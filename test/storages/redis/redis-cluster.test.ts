import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clusterSlot } from '../../../src/storages/redis/cluster-slot.ts'
import { RedisStorage } from '../../../src/storages/redis/index.ts'
import { type RedisCluster, startRedisCluster, until } from '../../servers/redis-cluster.ts'
import { toCluster } from './clients.ts'
import { type Followed, followed, untilAppended } from './followed.ts'

// Of the first master, which a test kills.
const FEED_KEY = 'sq:feed'

let cluster: RedisCluster
const cleanups: (() => unknown)[] = []
const storages = new Map<string, RedisStorage>()
/** Only follow: no command of theirs tells their clients of a failover. */
const quietStorages = new Map<string, RedisStorage>()

async function openAll(): Promise<void> {
  for (const [name, connect] of Object.entries(toCluster)) {
    for (const kind of [storages, quietStorages]) {
      const { options, end } = await connect(cluster)
      cleanups.push(end)
      const storage = new RedisStorage({ ...options, replyTimeout: 500, feedKey: FEED_KEY })
      cleanups.unshift(() => storage.close())
      kind.set(name, storage)
    }
  }
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
describe.each(Object.keys(toCluster))('RedisStorage over a Cluster with %s', (name) => {
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
})

test('when a master dies, its slots are answered or refused, and served and followed again after the failover', async () => {
  // Slot 0 is of the first master.
  const key = Array.from({ length: 100 }, (_, index) => `key${index}`).find(
    (name) => clusterSlot(name) < 5_000,
  )!
  const other = Array.from({ length: 100 }, (_, index) => `key${index}`).find(
    (name) => clusterSlot(name) > 12_000,
  )!
  await storages.get('node-redis 5')!.set(key, 'v')
  expect(clusterSlot(FEED_KEY)).toBeLessThan(5_000)
  const followers: Followed[] = []
  for (const storage of quietStorages.values()) followers.push(await followed(storage))
  await storages.get('ioredis 5')!.feed.append(['before'])
  for (const follower of followers) await follower.hears('before')
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
  await untilAppended(storages.get('node-redis 5')!, 'after')
  for (const follower of followers) {
    await follower.isTold()
    expect(follower.messages[0]).toBe('before')
  }
  for (const [name, storage] of storages) await untilAppended(storage, name)
  for (const follower of followers) await follower.hears([...storages.keys()].at(-1)!)
  for (const storage of storages.values()) {
    expect([...storages.keys()]).toContain(await storage.get(key))
    const listed: string[] = []
    for await (const found of storage.keys('key')) listed.push(found)
    expect(listed.sort()).toEqual([key, other].sort())
  }
})
