import { randomUUID } from 'node:crypto'
import { Cluster as Cluster5 } from 'ioredis'
import { Cluster as Cluster6 } from 'ioredis6'
import { createCluster as createCluster5 } from 'redis'
import { createCluster as createCluster6 } from 'redis6'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clusterSlot } from '../../../src/storages/redis/cluster-slot.ts'
import { RedisStorage } from '../../../src/storages/redis/index.ts'
import { type RedisCluster, startRedisCluster, until } from '../../servers/redis-cluster.ts'

let cluster: RedisCluster
const cleanups: (() => unknown)[] = []
const storages = new Map<string, RedisStorage>()

async function openAll(): Promise<void> {
  const rootNodes = cluster.nodes.map(({ host, port }) => ({ url: `redis://${host}:${port}` }))
  const nodes = [...cluster.nodes]
  const five = createCluster5({ rootNodes })
  const six = createCluster6({ rootNodes })
  cleanups.push(() => five.destroy())
  cleanups.push(() => six.destroy())
  await Promise.all([five.connect(), six.connect()])
  const clients = {
    'node-redis 5': five,
    'node-redis 6': six,
    'ioredis 5': new Cluster5(nodes),
    'ioredis 6': new Cluster6(nodes),
  }
  cleanups.push(() => clients['ioredis 5'].disconnect())
  cleanups.push(() => clients['ioredis 6'].disconnect())
  for (const [name, client] of Object.entries(clients)) storages.set(name, new RedisStorage({ client }))
}

beforeAll(async () => {
  cluster = await startRedisCluster()
  await openAll()
})
afterAll(async () => {
  for (const cleanup of cleanups) await cleanup()
  await cluster?.stop()
})

// Last of the file in its own order: the failover changes the cluster for good.
describe.each(['node-redis 5', 'node-redis 6', 'ioredis 5', 'ioredis 6'])(
  'RedisStorage over a Cluster with %s',
  (name) => {
    test('reads, writes, deletes and lists keys of every node', async () => {
      const storage = storages.get(name)!
      const prefix = `${randomUUID()}:*`
      const names = Array.from({ length: 1_000 }, (_, index) => `${prefix}${index}`)
      await storage.setMany(names.map((key, index) => ({ key, value: `v${index}`, ttl: 600_000 })))
      await storage.set(`${prefix}single`, 'v', 600_000)
      expect(await storage.get(`${prefix}single`)).toBe('v')
      expect(await storage.getMany([...names, 'absent'])).toEqual([
        ...names.map((_, index) => `v${index}`),
        null,
      ])
      const listed: string[] = []
      for await (const key of storage.keys(prefix)) listed.push(key)
      expect(listed.sort()).toEqual([...names, `${prefix}single`].sort())
      await storage.deleteMany(names)
      await storage.delete(`${prefix}single`)
      expect(new Set(await storage.getMany(names))).toEqual(new Set([null]))
    })
  },
)

test('when a master dies, its slots are answered or refused, and served again after the failover', async () => {
  // Slot 0 is of the first master.
  const key = Array.from({ length: 100 }, (_, index) => `key${index}`).find(
    (name) => clusterSlot(name) < 5_000,
  )!
  const other = Array.from({ length: 100 }, (_, index) => `key${index}`).find(
    (name) => clusterSlot(name) > 12_000,
  )!
  await storages.get('node-redis 5')!.set(key, 'v')
  cluster.servers[0]!.kill('SIGKILL')
  await cluster.servers[0]!.exited
  await Promise.all(
    [...storages].map(async ([name, storage]) => {
      await until(`${name} serves the slots of the dead master`, async () => {
        const [outcome] = await Promise.allSettled([storage.set(key, name)])
        if (outcome.status === 'rejected')
          expect(outcome.reason.code).toMatch(/STORAGE_(UNAVAILABLE|TIMEOUT)/)
        return outcome.status === 'fulfilled'
      })
      await storage.set(other, name)
    }),
  )
  for (const storage of storages.values()) {
    expect([...storages.keys()]).toContain(await storage.get(key))
    const listed: string[] = []
    for await (const found of storage.keys('key')) listed.push(found)
    expect(listed.sort()).toEqual([key, other].sort())
  }
})
