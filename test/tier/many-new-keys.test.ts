import { expect, test } from 'vitest'
import { QueryClient } from '../../src/index.ts'
import { MemoryStorage } from '../../src/storages/memory/index.ts'
import { VirtualClock } from '../../src/testing/index.ts'

// Each of their tokens is read by itself where there is no getMany; all of them find a place in the guard.
const KEYS = 400

function countingStorage() {
  const memory = new MemoryStorage()
  const counts = { reads: 0, adds: 0, mostAdds: 0 }
  let adding = 0
  const storage = {
    counts,
    get: async (key: string) => {
      counts.reads++
      return memory.get(key)
    },
    set: async (key: string, value: string, ttl?: number) => memory.set(key, value, ttl),
    delete: async (key: string) => memory.delete(key),
    add: async (key: string, value: string) => {
      counts.mostAdds = Math.max(counts.mostAdds, ++adding)
      counts.adds++
      await new Promise((resolve) => setImmediate(resolve))
      adding--
      return memory.add(key, value)
    },
  }
  return storage
}

async function setAll(storage: ReturnType<typeof countingStorage>): Promise<void> {
  // In real time, on a machine that may be busy.
  const client = new QueryClient({ storage, storageTimeout: 30_000 })
  for (let i = 0; i < KEYS; i++) client.setQueryData(['user', i], { id: i })
  const { pending } = await client.flush({ timeout: Number.POSITIVE_INFINITY })
  expect(pending).toBe(0)
  expect(client.stats().storage).toMatchObject({ dropped: 0, refused: 0 })
}

test('many new keys at once cost a bounded number of reads and new tokens each', async () => {
  const storage = countingStorage()
  await setAll(storage)
  // Two tokens of each key, and those of the prefixes that they share.
  expect(storage.counts.reads).toBeLessThan(2 * KEYS + 50)
  expect(storage.counts.adds).toBeLessThan(2 * KEYS + 50)
})

test('the tokens of many new keys never fill all places that the guard has', async () => {
  const storage = countingStorage()
  await setAll(storage)
  expect(storage.counts.mostAdds).toBeLessThan(500)
})

test.each([
  ['rejects', () => Promise.reject(new Error('no'))],
  [
    'throws',
    (): never => {
      throw new Error('no')
    },
  ],
])('a store whose get %s at once is asked now and then, not in a circle', async (_, get) => {
  const clock = new VirtualClock()
  let reads = 0
  const storage = {
    get: () => {
      reads++
      return get()
    },
    set: async () => {},
    delete: async () => {},
  }
  const client = new QueryClient({ storage, clock, logger: { warn() {}, error() {}, info() {}, debug() {} } })
  client.setQueryData(['user', 1], { id: 1 })
  await clock.advance(1_000)
  expect(reads).toBeLessThan(100)
  const closing = client.close({ timeout: 100 })
  await clock.advance(2_000)
  await closing
})

test('a new key whose token L2 refuses holds up none of those that came with it', async () => {
  const memory = new MemoryStorage()
  const storage = {
    get: async (key: string) => memory.get(key),
    delete: async (key: string) => memory.delete(key),
    add: async (key: string, value: string) => memory.add(key, value),
    // Tokens that an invalidation replaces come this way; first ones are added.
    set: async (key: string, value: string, ttl?: number) => {
      if (/:[hs]:/.test(key)) throw new Error('no')
      return memory.set(key, value, ttl)
    },
  }
  const clock = new VirtualClock()
  const logger = { info() {}, warn() {}, error() {}, debug() {} }
  const client = new QueryClient({ storage, clock, logger })
  const removing = client.removeQueries(['refused'])
  await clock.advance(1_000)
  await removing
  client.setQueryData(['refused'], 1)
  client.setQueryData(['other'], 2)
  // Less than the time after which what could not be made is tried again.
  await clock.advance(50)
  expect(await memory.get('sq:d:["other"]')).toContain('"d":2')
  expect(await memory.get('sq:d:["refused"]')).toBeNull()
  const closing = client.close({ timeout: 100 })
  await clock.advance(2_000)
  await closing
})
