import { Redis as Redis5 } from 'ioredis'
import { Redis as Redis6 } from 'ioredis6'
import { createSentinel as createSentinel5 } from 'redis'
import { createSentinel as createSentinel6 } from 'redis6'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { RedisStorage } from '../../../src/storages/redis/index.ts'
import { until } from '../../servers/redis-cluster.ts'
import { type RedisSentinel, startRedisSentinel } from '../../servers/redis-sentinel.ts'

let sentinel: RedisSentinel
const cleanups: (() => unknown)[] = []
const storages = new Map<string, RedisStorage>()

beforeAll(async () => {
  sentinel = await startRedisSentinel()
  const options = { name: sentinel.name, sentinelRootNodes: [...sentinel.sentinels] }
  const five = createSentinel5(options)
  const six = createSentinel6(options)
  await Promise.all([five.connect(), six.connect()])
  const io = { name: sentinel.name, sentinels: [...sentinel.sentinels] }
  const clients = {
    'node-redis 5': five,
    'node-redis 6': six,
    'ioredis 5': new Redis5(io),
    'ioredis 6': new Redis6(io),
  }
  for (const [name, client] of Object.entries(clients)) {
    storages.set(name, new RedisStorage({ client, replyTimeout: 500 }))
    cleanups.push(() => ('destroy' in client ? client.destroy() : client.disconnect()))
  }
})
afterAll(async () => {
  for (const cleanup of cleanups) await cleanup()
  await sentinel?.stop()
})

test('every client works before, and again after, a failover; between, it answers or refuses', async () => {
  for (const [name, storage] of storages) {
    await storage.setMany([{ key: name, value: 'v' }])
    expect(await storage.getMany([name, 'absent'])).toEqual(['v', null])
    const listed: string[] = []
    for await (const key of storage.keys(name)) listed.push(key)
    expect(listed).toEqual([name])
  }
  sentinel.master.kill('SIGKILL')
  await sentinel.master.exited
  await Promise.all(
    [...storages].map(([name, storage]) =>
      until(`${name} works again`, async () => {
        const [outcome] = await Promise.allSettled([storage.set(`${name}:after`, 'v')])
        if (outcome.status === 'rejected') {
          expect(outcome.reason.code).toMatch(/STORAGE_(UNAVAILABLE|TIMEOUT)/)
        }
        return outcome.status === 'fulfilled'
      }),
    ),
  )
  for (const [name, storage] of storages) expect(await storage.get(`${name}:after`)).toBe('v')
})
