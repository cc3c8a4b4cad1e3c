/** Every figure of `stats()` is what happened, in virtual time. */
import { describe, expect, test } from 'vitest'
import { QueryClient } from '../../src/index.ts'
import { MemoryStorage } from '../../src/storages/memory/index.ts'
import { ChaosStorage, VirtualClock } from '../../src/testing/index.ts'

function setUp(config = {}) {
  const clock = new VirtualClock()
  const memory = new MemoryStorage({ clock })
  const store = new ChaosStorage(memory, { clock })
  const logger = { info() {}, warn() {}, error() {} }
  const client = new QueryClient({ storage: store, clock, logger, staleTime: 1_000, retry: false, ...config })
  const other = new QueryClient({ storage: memory.connect(), clock, logger, staleTime: 1_000 })
  let calls = 0
  const get = (id: number, more = {}) =>
    client.fetchQuery({ queryKey: ['k', id], queryFn: async () => ({ call: ++calls }), ...more })
  const storage = () => client.stats().storage as NonNullable<ReturnType<typeof client.stats>['storage']>
  return { clock, memory, store, client, other, get, storage }
}

describe('L1 and the origin', () => {
  test('memoryHits, memoryMisses, joins, staleServes and originCalls count calls', async () => {
    const { clock, client, get } = setUp()
    await Promise.all([get(1), get(1), get(1)])
    await get(1)
    await get(1)
    expect(client.stats()).toMatchObject({
      entries: 1,
      memoryMisses: 3,
      joins: 2,
      memoryHits: 2,
      staleServes: 0,
      originCalls: 1,
      originFailures: 0,
    })
    await clock.advance(1_000)
    await get(1)
    await clock.settle()
    expect(client.stats()).toMatchObject({ staleServes: 1, originCalls: 2, memoryHits: 2, memoryMisses: 3 })
  })

  test('originFailures counts attempts that failed, evictions what left L1', async () => {
    const { clock, client, get } = setUp({ cacheMaxSize: 2 })
    const failing = get(1, { queryFn: () => Promise.reject(new Error('x')), retry: 2, retryDelay: 10 })
    const outcome = expect(failing).rejects.toThrow('x')
    await clock.advance(100)
    await outcome
    expect(client.stats()).toMatchObject({ originCalls: 3, originFailures: 3 })
    for (let id = 10; id < 15; id++) await get(id)
    const { entries, evictions } = client.stats()
    expect(entries).toBe(2)
    expect(evictions).toBeGreaterThanOrEqual(3)
  })

  test('a client without a store has no figures of one', () => {
    expect(new QueryClient().stats().storage).toBe(null)
  })
})

describe('L2', () => {
  test('hits and misses count reads, stale serves from it those who got stale data', async () => {
    const { clock, client, other, get, storage } = setUp()
    await get(1)
    expect(storage()).toMatchObject({ hits: 0, misses: 1 })
    other.setQueryData(['k', 2], 'theirs')
    await other.flush()
    expect(await get(2)).toBe('theirs')
    expect(storage()).toMatchObject({ hits: 1, misses: 1, rejected: 0 })
    other.setQueryData(['k', 3], 'old')
    await other.flush()
    await clock.advance(5_000)
    expect(await get(3)).toBe('old')
    await clock.settle()
    expect(client.stats()).toMatchObject({ staleServes: 1, originCalls: 2 })
  })

  test('rejected counts what was corrupt or did not fit its schema, unserializable what stayed in L1', async () => {
    const { client, memory, other, get, storage } = setUp()
    await get(1)
    await client.flush()
    for await (const key of memory.keys('sq:d:')) await memory.set(key, 'garbage')
    client.clear()
    await get(1)
    expect(storage()).toMatchObject({ rejected: 1, misses: 2, hits: 0 })
    other.setQueryData(['k', 2], 'not a number')
    await other.flush()
    const validate = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (value: unknown) =>
          typeof value === 'string' ? { issues: [{ message: 'no' }] } : { value },
      },
    } as const
    await get(2, { validate })
    expect(storage()).toMatchObject({ rejected: 2 })
    client.setQueryData(['k', 3], new Date(0))
    await client.flush()
    expect(storage()).toMatchObject({ unserializable: 1, pending: 0 })
  })

  test('written and superseded count writes, pending and pendingBytes what waits', async () => {
    const { client, store, get, storage, clock } = setUp()
    await get(1)
    await client.flush()
    const { written } = storage()
    client.setQueryData(['k', 1], 1)
    client.setQueryData(['k', 1], 2)
    client.setQueryData(['k', 1], 3)
    expect(storage()).toMatchObject({ pending: 1, superseded: 2 })
    await client.flush()
    expect(storage()).toMatchObject({ pending: 0, pendingBytes: 0, written: written + 1, superseded: 2 })

    store.fault({ kind: 'hang' })
    client.setQueryData(['k', 1], 'x'.repeat(10_000))
    await clock.advance(300)
    const { pending, pendingBytes, circuit } = storage()
    expect([circuit, pending]).toEqual(['open', 1])
    // Two bytes a character at the most, and an allowance for the record.
    expect(pendingBytes).toBeGreaterThan(10_000)
    expect(pendingBytes).toBeLessThan(2 * 10_000 + 1_000)
  })

  test('circuit, outages, inFlight, refused and replayed follow an outage', async () => {
    const { client, clock, store, get, storage } = setUp()
    await get(1)
    await client.flush()
    expect(storage()).toMatchObject({ circuit: 'closed', outages: 0, inFlight: 0, replayed: 0 })
    store.fault({ kind: 'hang' })
    client.setQueryData(['k', 1], 'kept')
    await clock.settle()
    expect(storage()).toMatchObject({ circuit: 'closed', inFlight: 1 })
    await clock.advance(250)
    expect(storage()).toMatchObject({ circuit: 'open', outages: 1, inFlight: 1 })
    await clock.advance(250)
    expect(storage()).toMatchObject({ circuit: 'probing', inFlight: 2 })
    store.heal({ hanging: 'reject' })
    await clock.advance(6_000)
    expect(storage()).toMatchObject({ circuit: 'closed', outages: 1, inFlight: 0, replayed: 1, pending: 0 })
  })

  test('dropped counts what a bound or a refusing store threw out', async () => {
    const { client, clock, store, get, storage } = setUp()
    await get(1)
    await client.flush()
    store.fault({ kind: 'reject' }, { operations: ['set', 'setMany'], keys: (key) => key.includes('poison') })
    client.setQueryData(['poison'], 1)
    await clock.advance(600_000)
    expect(storage()).toMatchObject({ dropped: 1, circuit: 'closed' })
  })

  test('operations count calls, failures, timeouts and latencies', async () => {
    const { client, clock, store, get, storage } = setUp()
    await get(1)
    await client.flush()
    const { get: before } = storage().operations
    store.fault({ kind: 'delay', delay: 30 }, { operations: ['get', 'getMany'] })
    client.clear()
    const again = get(1)
    await clock.advance(30)
    await again
    const { get: after } = storage().operations
    expect(after).toMatchObject({ count: before.count + 1, failures: 0, timeouts: 0, maxLatency: 30 })
    expect(after.meanLatency).toBeCloseTo(30 / after.count)
    store.heal()
    store.fault({ kind: 'reject' }, { operations: ['get', 'getMany'], when: [true, false] })
    client.clear()
    await get(1)
    expect(storage().operations.get).toMatchObject({ failures: 1 })
    store.heal()
    store.fault({ kind: 'hang' }, { operations: ['get', 'getMany'] })
    client.clear()
    const last = get(1)
    await clock.advance(250)
    await last
    expect(storage().operations.get).toMatchObject({ timeouts: 1, maxLatency: 250 })
  })
})
