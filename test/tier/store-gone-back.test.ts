/** A store that goes back to what it was some moments ago: a lagging replica took over, an older file was loaded. */

import { expect, test } from 'vitest'
import { QueryClient } from '../../src/index.ts'
import type { StorageBackend } from '../../src/ports/storage.ts'
import { MemoryStorage } from '../../src/storages/memory/index.ts'
import { VirtualClock } from '../../src/testing/index.ts'

type Told = (text: readonly string[]) => void

/** One store for several clients, which can be set back and says so. */
function rewindable() {
  let values = new Map<string, string>()
  let appended = 0
  const followers: { tell: Told; gap: (reason: string, mayHaveGoneBack: boolean) => void }[] = []
  const connect = (): StorageBackend => ({
    get: async (key) => values.get(key),
    set: async (key, value) => void values.set(key, value),
    delete: async (key) => void values.delete(key),
    feed: {
      append: async (messages) => {
        appended += messages.length
        for (const { tell } of followers) tell(messages)
      },
      follow: async (tell, gap) => {
        followers.push({ tell, gap })
        return () => {}
      },
    },
  })
  return {
    connect,
    gap: () => {
      for (const { gap } of followers) gap('trimmed', false)
    },
    get appended() {
      return appended
    },
    rewinder() {
      const before = new Map(values)
      return () => {
        values = new Map(before)
        for (const { gap } of followers) gap('another server has taken its place', true)
      }
    },
  }
}

test.each(['hard', 'soft'] as const)(
  'does not bring back what was invalidated in between (%s)',
  async (kind) => {
    const clock = new VirtualClock()
    const store = rewindable()
    const logger = { warn() {}, error() {} }
    const make = () =>
      new QueryClient({ clock, storage: store.connect(), logger, staleTime: Number.POSITIVE_INFINITY })
    const [one, two] = [make(), make()]
    let version = 1
    const read = (client: QueryClient) =>
      client.fetchQuery({ queryKey: ['user', 1], queryFn: () => version, whenStale: 'wait' })
    const settle = async <T>(work: Promise<T>): Promise<T> => {
      await clock.advance(1_000)
      return work
    }
    expect(await settle(read(one))).toBe(1)
    const rewind = store.rewinder()
    version = 2
    await settle(kind === 'hard' ? one.removeQueries(['user']) : one.invalidateQueries(['user']))
    expect(await settle(read(two))).toBe(2)
    version = 3
    rewind()
    await clock.advance(1_000)
    expect(await settle(read(two))).toBe(3)
    await settle(Promise.all([one.close(), two.close()]))
  },
)

test('saying it again fills no log, so that one gap is not followed by another for ever', async () => {
  const clock = new VirtualClock()
  const storage = new MemoryStorage({ clock, feedLength: 50 })
  const logger = { warn() {}, error() {} }
  const clients = [1, 2, 3].map(() => new QueryClient({ clock, storage: storage.connect(), logger }))
  await clock.advance(1_000)
  for (let i = 0; i < 40; i++) {
    for (const client of clients) void client.removeQueries(['user', i])
    await clock.advance(10)
  }
  const gaps = (): number => clients.reduce((sum, client) => sum + (client.stats().fleet?.gaps ?? 0), 0)
  const before = gaps()
  storage.clear()
  await clock.advance(5_000)
  expect(gaps() - before).toBe(clients.length)
  const closed = Promise.all(clients.map((client) => client.close()))
  await clock.advance(5_000)
  await closed
})

test('says nothing again after a gap alone, or a log too short for it would have a gap again, for ever', async () => {
  const clock = new VirtualClock()
  const store = rewindable()
  const client = new QueryClient({ clock, storage: store.connect(), logger: { warn() {}, error() {} } })
  const removal = client.removeQueries(['user'])
  await clock.advance(1_000)
  await removal
  const { appended } = store
  store.gap()
  await clock.advance(1_000)
  expect(store.appended).toBe(appended)
  const closed = client.close()
  await clock.advance(1_000)
  await closed
})
