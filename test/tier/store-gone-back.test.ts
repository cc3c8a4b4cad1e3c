/** A store that goes back to what it was some moments ago: a lagging replica took over, an older file was loaded. */

import { expect, test } from 'vitest'
import { QueryClient } from '../../src/index.ts'
import type { StorageBackend } from '../../src/ports/storage.ts'
import { VirtualClock } from '../../src/testing/index.ts'

type Told = (text: readonly string[]) => void

/** One store for several clients, which can be set back and says so. */
function rewindable() {
  let values = new Map<string, string>()
  const followers: { tell: Told; gap: (reason: string) => void }[] = []
  const connect = (): StorageBackend => ({
    get: async (key) => values.get(key),
    set: async (key, value) => void values.set(key, value),
    delete: async (key) => void values.delete(key),
    feed: {
      append: async (messages) => {
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
    rewinder() {
      const before = new Map(values)
      return () => {
        values = new Map(before)
        for (const { gap } of followers) gap('another server has taken its place')
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
