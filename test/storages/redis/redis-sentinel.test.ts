import { afterAll, beforeAll, expect, test } from 'vitest'
import { RedisStorage } from '../../../src/storages/redis/index.ts'
import { until } from '../../servers/redis-cluster.ts'
import { type RedisSentinel, startRedisSentinel } from '../../servers/redis-sentinel.ts'
import { toSentinel } from './clients.ts'
import { type Followed, followed, untilAppended } from './followed.ts'

let sentinel: RedisSentinel
const cleanups: (() => unknown)[] = []
const storages = new Map<string, RedisStorage>()

beforeAll(async () => {
  sentinel = await startRedisSentinel()
  for (const [name, connect] of Object.entries(toSentinel)) {
    const { options, end } = await connect(sentinel)
    cleanups.push(end)
    const storage = new RedisStorage({ ...options, replyTimeout: 500 })
    cleanups.unshift(() => storage.close())
    storages.set(name, storage)
  }
})
afterAll(async () => {
  for (const cleanup of cleanups) await cleanup()
  await sentinel?.stop()
})

test('every client works and follows before, and again after, a failover; between, it answers or refuses', async () => {
  for (const [name, storage] of storages) {
    await storage.setMany([{ key: name, value: 'v' }])
    expect(await storage.getMany([name, 'absent'])).toEqual(['v', null])
    const listed: string[] = []
    for await (const key of storage.keys(name)) listed.push(key)
    expect(listed).toEqual([name])
  }
  const followers: Followed[] = []
  for (const storage of storages.values()) followers.push(await followed(storage))
  await storages.get('ioredis 5')!.feed.append(['before'])
  for (const follower of followers) await follower.hears('before')
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
  // The replica may lack what its master had taken last, so its log is to be believed from here on only.
  for (const follower of followers) await follower.isTold()
  for (const [name, storage] of storages) await untilAppended(storage, name)
  for (const follower of followers) await follower.hears([...storages.keys()].at(-1)!)
})
