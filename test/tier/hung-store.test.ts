/** A store that never answers, in virtual time: what callers feel, to the millisecond, and what is kept meanwhile. */
import { describe, expect, test } from 'vitest'
import { QueryClient } from '../../src/index.ts'
import { MemoryStorage } from '../../src/storages/memory/index.ts'
import { ChaosStorage, VirtualClock } from '../../src/testing/index.ts'

const STORAGE_TIMEOUT = 250
const ORIGIN = 10

function setUp(hangsFromTheStart = false) {
  const clock = new VirtualClock()
  const store = new ChaosStorage(new MemoryStorage({ clock }), { clock })
  if (hangsFromTheStart) store.fault({ kind: 'hang' })
  const log: string[] = []
  const note = (message: string) => log.push(message)
  const client = new QueryClient({
    storage: store,
    clock,
    staleTime: 60_000,
    storageTimeout: STORAGE_TIMEOUT,
    logger: { info: note, warn: note, error: note },
  })
  /** How long a fetch took, in virtual milliseconds. */
  const timed = async (id: number, options = {}): Promise<number> => {
    const started = clock.now()
    await client.fetchQuery({
      queryKey: ['item', id],
      queryFn: () => new Promise((resolve) => clock.setTimeout(() => resolve({ id }), ORIGIN)),
      ...options,
    })
    return clock.now() - started
  }
  return { clock, store, client, timed, log }
}

describe('a store that never answers', () => {
  test.each([
    ['from some moment on', false],
    ['from the start, its feed as well', true],
  ])(
    '%s, costs the first cold fetch storageTimeout, and the next thousand nothing',
    async (_, fromTheStart) => {
      const { clock, store, client, timed, log } = setUp(fromTheStart)
      store.fault({ kind: 'hang' })
      const first = timed(0)
      await clock.advance(STORAGE_TIMEOUT + ORIGIN)
      expect(await first).toBe(STORAGE_TIMEOUT + ORIGIN)
      for (let id = 1; id <= 1_000; id++) {
        const next = timed(id)
        await clock.advance(ORIGIN)
        expect(await next).toBe(ORIGIN)
      }
      expect(log).toEqual([expect.stringContaining('L2 is away (get)')])
      expect(client.stats()).toMatchObject({ originCalls: 1_001, storage: { outages: 1 } })
    },
  )

  test('costs a thousand callers at once storageTimeout once, all of them together', async () => {
    const { clock, store, timed } = setUp()
    store.fault({ kind: 'hang' })
    const all = Promise.all(Array.from({ length: 1_000 }, (_, id) => timed(id)))
    await clock.advance(STORAGE_TIMEOUT + ORIGIN)
    expect(new Set(await all)).toEqual(new Set([STORAGE_TIMEOUT + ORIGIN]))
  })

  test('lets go at once who came in the middle of the wait that showed it', async () => {
    const { clock, store, timed } = setUp()
    store.fault({ kind: 'hang' })
    const first = timed(0)
    await clock.advance(200)
    const second = timed(1)
    const forced = timed(2, { whenStale: 'wait' })
    await clock.advance(STORAGE_TIMEOUT - 200 + ORIGIN)
    expect([await first, await second, await forced]).toEqual([260, 60, 60])
  })

  test('that hangs in writes alone costs no more', async () => {
    const { clock, store, timed } = setUp()
    store.fault({ kind: 'hang' }, { operations: ['set', 'setMany', 'add'] })
    const first = timed(0)
    await clock.advance(STORAGE_TIMEOUT + ORIGIN)
    expect(await first).toBe(STORAGE_TIMEOUT + ORIGIN)
    const next = timed(1)
    await clock.advance(ORIGIN)
    expect(await next).toBe(ORIGIN)
  })

  test('delays nobody by its probes, and is used again after it has answered one', async () => {
    const { clock, store, client, timed, log } = setUp()
    store.fault({ kind: 'hang' })
    void timed(0)
    await clock.advance(60_000)
    for (let id = 1; id <= 200; id++) {
      const next = timed(id)
      // Not a multiple of anything, so that fetches fall into every phase of a probe.
      await clock.advance(ORIGIN + 27)
      expect(await next).toBe(ORIGIN)
    }
    store.heal()
    await clock.advance(6_000)
    expect(client.stats().storage).toMatchObject({ circuit: 'closed', pending: 0, outages: 1 })
    expect(log).toEqual([expect.stringContaining('L2 is away'), expect.stringContaining('L2 is back after')])
  })

  test('leaves nothing that grows without bound: 5,000 fetches, 200 invalidations, an hour', async () => {
    const { clock, store, client, timed } = setUp()
    store.fault({ kind: 'hang' })
    void timed(0)
    await clock.advance(STORAGE_TIMEOUT + ORIGIN)
    for (let id = 1; id <= 5_000; id += 500) {
      const some = Promise.all(Array.from({ length: 500 }, (_, n) => timed(id + n)))
      await clock.advance(ORIGIN)
      await some
      for (let n = 0; n < 20; n++) await client.invalidateQueries(['item', id + n])
    }
    await clock.advance(3_600_000)
    const { entries, storage } = client.stats()
    expect(entries).toBeLessThanOrEqual(1_000)
    // One write for each key at the most, and two tokens for each invalidation.
    expect(storage?.pending).toBeLessThanOrEqual(5_001 + 2 * 200)
    expect(storage?.pendingBytes).toBeLessThan(6_000_000)
    // The one timer of the client, and one of the store's own that never comes.
    expect(clock.pendingTimers).toBeLessThanOrEqual(2)
    expect(store.mostInFlight).toBeLessThanOrEqual(1_000)
  })
})

describe('what was fetched while the store was away, by a worker that knew nothing of it before', () => {
  const MANY = 600

  /** The store has old data of all keys; the client has fetched all of them anew while it hung, and forgotten them. */
  async function fetchedAnew() {
    const clock = new VirtualClock()
    const memory = new MemoryStorage({ clock })
    const store = new ChaosStorage(memory.connect(), { clock })
    const logger = { info() {}, warn() {}, error() {} }
    const make = (storage: MemoryStorage | ChaosStorage) =>
      new QueryClient({ storage, clock, logger, gcTime: 3_600_000, storageTimeout: STORAGE_TIMEOUT })
    const other = make(memory)
    for (let id = 0; id < MANY; id++) other.setQueryData(['item', id], 'old')
    await other.flush()
    store.fault({ kind: 'hang' })
    const client = make(store)
    const all = Array.from({ length: MANY }, (_, id) =>
      client.fetchQuery({ queryKey: ['item', id], queryFn: () => 'new' }),
    )
    await clock.advance(STORAGE_TIMEOUT)
    for (const each of all) expect(await each).toBe('new')
    // Again: what waits is one write for each key, the newest.
    client.clear()
    for (let id = 0; id < MANY; id++)
      expect(await client.fetchQuery({ queryKey: ['item', id], queryFn: () => 'newer' })).toBe('newer')
    const { circuit, pending, dropped, superseded } = client.stats().storage ?? {}
    expect({ circuit, pending, dropped }).toEqual({ circuit: 'open', pending: MANY, dropped: 2 * MANY })
    expect(superseded).toBeGreaterThan(0)
    client.clear()
    return { clock, store, client, other }
  }

  test('replaces in it what it had before', async () => {
    const { clock, store, client, other } = await fetchedAnew()
    store.heal({ hanging: 'reject' })
    await clock.advance(10_000)
    expect(client.stats().storage).toMatchObject({ circuit: 'closed', pending: 0, replayed: MANY })
    other.clear()
    for (let id = 0; id < MANY; id++) expect(await other.getQueryDataAsync(['item', id])).toBeUndefined()
  })

  test('hides what it still has when it is back', async () => {
    const { clock, store, client } = await fetchedAnew()
    store.heal({ hanging: 'reject' })
    store.fault({ kind: 'delay', delay: 100 }, { operations: ['deleteMany', 'delete'] })
    while (client.stats().storage?.circuit !== 'closed') await clock.advance(1)
    expect(client.stats().storage?.pending).toBe(MANY)
    const found = Array.from({ length: MANY }, (_, id) => client.getQueryDataAsync(['item', id]))
    await clock.advance(STORAGE_TIMEOUT)
    expect(new Set(await Promise.all(found))).toEqual(new Set([undefined]))
    await clock.advance(10_000)
    expect(client.stats().storage).toMatchObject({ pending: 0 })
  })
})
