/** A worker whose change feed has gone silent, in virtual time. */

import { expect, onTestFinished, test } from 'vitest'
import { QueryClient } from '../../src/index.ts'
import type { StorageBackend } from '../../src/ports/storage.ts'
import { MemoryStorage } from '../../src/storages/memory/index.ts'
import { ChaosStorage, VirtualClock } from '../../src/testing/index.ts'

const HEARTBEAT = 1_000
const KEY = ['user', 1]

function world() {
  const clock = new VirtualClock()
  const shared = new MemoryStorage({ clock })
  const logger = { warn() {}, error() {} }
  const config = { clock, logger, staleTime: 600_000, gcTime: 3_600_000 }
  const chaos = new ChaosStorage(shared.connect(), { clock })
  let isSilent = false
  const feed: NonNullable<StorageBackend['feed']> = {
    heartbeat: HEARTBEAT,
    append: (messages) => chaos.feed?.append(messages),
    follow: async (onMessages, onGap, onHeard) => {
      const beat = (): void => {
        if (!isSilent) onHeard?.(0)
        clock.setTimeout(beat, HEARTBEAT)
      }
      beat()
      return (await chaos.feed?.follow((messages) => !isSilent && onMessages(messages), onGap)) ?? (() => {})
    },
  }
  const storage = new Proxy<StorageBackend>(chaos, {
    get: (target, name) => {
      if (name === 'feed') return feed
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  const peer = new QueryClient({ ...config, storage: shared.connect() })
  const client = new QueryClient({ ...config, storage })
  onTestFinished(async () => {
    await Promise.all([peer.close({ timeout: 10 }), client.close({ timeout: 10 }), clock.advance(5_000)])
  })
  const made = {
    clock,
    chaos,
    peer,
    client,
    calls: 0,
    fallSilent: () => {
      isSilent = true
    },
    async read(which: QueryClient): Promise<number> {
      const answer = which.fetchQuery({ queryKey: KEY, queryFn: () => ++made.calls })
      await clock.advance(50)
      return answer
    },
  }
  return made
}

test('believes L1 for as long as it is heard, however little is said', async () => {
  const { clock, client, read } = world()
  expect(await read(client)).toBe(1)
  await clock.advance(60_000)
  expect(await read(client)).toBe(1)
  expect(client.stats().fleet).toMatchObject({ isCutOff: false })
})

test('no longer believes L1 once the feed has been silent for syncInterval, and reads L2 instead', async () => {
  const { clock, client, peer, read, fallSilent } = world()
  await read(client)
  fallSilent()
  const removal = peer.removeQueries(KEY)
  await clock.advance(10)
  await removal
  expect(await read(client)).toBe(1)
  await clock.advance(5_000)
  expect(client.stats().fleet).toMatchObject({ isCutOff: true })
  expect(client.cache.has(KEY)).toBe(false)
  expect(await read(client)).toBe(2)
})

test('asks L2, not the origin, for what nobody has invalidated', async () => {
  const { clock, client, read, fallSilent } = world()
  await read(client)
  fallSilent()
  await clock.advance(20_000)
  expect(await read(client)).toBe(1)
})

test('with L2 away as well, serves L1 at once as stale, and asks the origin behind', async () => {
  const made = world()
  const { clock, client, chaos, read, fallSilent } = made
  await read(client)
  fallSilent()
  chaos.fault({ kind: 'hang' })
  // The circuit opens with the first call that is not answered.
  void client.fetchQuery({ queryKey: ['other'], queryFn: () => 0 })
  await clock.advance(6_000)
  expect(client.getQueryState(KEY)).toMatchObject({ data: 1, isStale: true })
  expect(await read(client)).toBe(1)
  expect(await read(client)).toBe(2)
  expect(made.calls).toBe(2)
})
