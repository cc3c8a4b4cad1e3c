import { describe, expect, test } from 'vitest'
import type { StorageBackend } from '../ports/storage.ts'
import { SafeLogger } from '../resilience/safe-logger.ts'
import { TimerQueue } from '../resilience/timer-queue.ts'
import { MemoryStorage } from '../storages/memory/index.ts'
import { ChaosStorage, VirtualClock } from '../testing/index.ts'
import { FAILURES_TO_SUSPECT, MAX_IN_FLIGHT, StorageGuard } from './storage-guard.ts'

function setUp() {
  const clock = new VirtualClock()
  const store = new ChaosStorage(new MemoryStorage({ clock }), { clock })
  const log: string[] = []
  const note = (...all: unknown[]) => log.push(all.map((part) => (part as Error).message ?? part).join(' | '))
  const events: string[] = []
  const timers = new TimerQueue(clock)
  const guard = new StorageGuard({
    backend: store as StorageBackend,
    clock,
    timers,
    logger: new SafeLogger({ info: note, warn: note, error: note }),
    timeout: 100,
    probeKey: 'probe',
    random: () => 1,
    onOpened: () => events.push('opened'),
    onRecovered: () => {
      events.push('recovered')
      return 'all is well'
    },
  })
  const get = (key = 'k', onLate?: () => void) => guard.run('get', () => store.get(key), onLate)
  const set = (key = 'k') => guard.run('set', () => store.set(key, 'v'))
  return { clock, store, log, events, guard, timers, get, set }
}

describe('a call', () => {
  test('that answers is its value, and is counted', async () => {
    const { guard, get, set } = setUp()
    await set()
    expect(await get()).toEqual({ isOk: true, value: 'v' })
    expect(guard.stats()).toMatchObject({
      circuit: 'closed',
      inFlight: 0,
      refused: 0,
      operations: { get: { count: 1 }, set: { count: 1 }, delete: { count: 0 } },
    })
  })

  test.each([['reject'], ['throw']] as const)(
    'that fails (%s) is an outcome, never an exception',
    async (kind) => {
      const { store, guard, get } = setUp()
      store.fault({ kind, error: new TypeError('odd') })
      const outcome = await get()
      expect(outcome).toMatchObject({ isOk: false, reason: 'failure', error: { code: 'STORAGE_FAILED' } })
      expect(outcome.isOk ? null : outcome.error.cause).toEqual(new TypeError('odd'))
      expect(guard.stats().operations.get).toMatchObject({ failures: 1, timeouts: 0 })
    },
  )

  test('that fails with something that is no error says what it was', async () => {
    const { guard } = setUp()
    const outcome = await guard.run('get', () => Promise.reject('just text'))
    expect(outcome).toMatchObject({ error: { message: 'L2 get failed: just text' } })
  })

  test('that takes longer than the deadline is a timeout then, and its late answer is told apart', async () => {
    const { clock, store, guard, get } = setUp()
    store.fault({ kind: 'hang' })
    let late = 0
    const outcome = get('k', () => late++)
    await clock.advance(99)
    expect(guard.stats()).toMatchObject({ circuit: 'closed', inFlight: 1 })
    await clock.advance(1)
    expect(await outcome).toMatchObject({
      isOk: false,
      reason: 'timeout',
      error: { code: 'STORAGE_TIMEOUT' },
    })
    expect([late, guard.stats().inFlight]).toEqual([0, 1])
    store.heal({ hanging: 'answer' })
    await clock.settle()
    expect([late, guard.stats().inFlight]).toEqual([1, 0])
  })

  test('beyond the bound of calls in flight is refused without being made', async () => {
    const { clock, store, guard, get } = setUp()
    store.fault({ kind: 'hang' })
    const all = Array.from({ length: MAX_IN_FLIGHT + 5 }, () => get())
    expect(store.inFlight).toBe(MAX_IN_FLIGHT)
    expect(await all.at(-1)).toMatchObject({ reason: 'refused', error: { code: 'STORAGE_UNAVAILABLE' } })
    expect(guard.stats()).toMatchObject({ inFlight: MAX_IN_FLIGHT, refused: 5 })
    await clock.advance(100)
    await Promise.all(all)
  })
})

test('a refusal is told later, as every outcome is', async () => {
  const { guard } = setUp()
  guard.close()
  const told: string[] = []
  guard.start('get', { call: () => 1, done: (outcome) => told.push(outcome.isOk ? 'ok' : outcome.reason) })
  expect(told).toEqual([])
  await undefined
  expect(told).toEqual(['refused'])
})

describe('the circuit', () => {
  test('opens at the first timeout, with one line and the cause, and lets no call through', async () => {
    const { clock, store, guard, log, events, get } = setUp()
    store.fault({ kind: 'hang' })
    const all = [get('a'), get('b'), get('c')]
    await clock.advance(100)
    await Promise.all(all)
    expect(guard.isOpenForCalls).toBe(false)
    expect(events).toEqual(['opened'])
    expect(log).toEqual([
      'stackquery: L2 is away (get); going on with L1 alone. | L2 get did not answer within 100 ms.',
    ])
    const { calls } = store
    const before = calls.get
    expect(await get()).toMatchObject({ reason: 'refused' })
    expect(calls.get).toBe(before)
  })

  test('opens by failures in a row where a probe fails too', async () => {
    const { clock, store, guard, log, set } = setUp()
    store.fault({ kind: 'reject', error: new Error('disk full') }, { operations: ['set'] })
    for (let n = 1; n < FAILURES_TO_SUSPECT; n++) await set()
    await clock.settle()
    expect(guard.stats().circuit).toBe('closed')
    await set()
    await clock.settle()
    expect(guard.stats()).toMatchObject({ circuit: 'open', outages: 1 })
    expect(log).toEqual([expect.stringContaining('L2 is away (set)')])
    expect(log[0]).toContain('disk full')
  })

  test('stays closed where only what was written is at fault, or a success comes between', async () => {
    const { clock, store, guard, log, set } = setUp()
    store.fault({ kind: 'reject' }, { keys: (key) => key === 'poison' })
    for (let n = 0; n < 20; n++) await set('poison')
    await clock.settle()
    expect(guard.stats().circuit).toBe('closed')
    store.heal()
    store.fault({ kind: 'reject' }, { operations: ['set'], when: [true, true, false] })
    for (let n = 0; n < 20; n++) await set()
    await clock.settle()
    expect([guard.stats().circuit, log]).toEqual(['closed', []])
  })

  test('is probed by a write and a read, with growing pauses, one at a time', async () => {
    const { clock, store, guard, get } = setUp()
    store.fault({ kind: 'hang' })
    void get()
    await clock.advance(100)
    const begun: number[] = []
    const start = clock.now()
    let before = store.calls.set
    for (let ms = 0; ms < 20_000; ms += 50) {
      await clock.advance(50)
      if (store.calls.set > before) begun.push(clock.now() - start)
      expect(store.calls.set - before).toBeLessThanOrEqual(1)
      before = store.calls.set
    }
    // Pauses of 250, 500, 1,000, 2,000, 4,000, 5,000 ms, and each probe takes its deadline of 100.
    expect(begun).toEqual([250, 850, 1_950, 4_050, 8_150, 13_250, 18_350])
    expect(guard.stats()).toMatchObject({ circuit: 'open', outages: 1 })
  })

  test('closes when a probe is answered, with one line, and forgets what hung', async () => {
    const { clock, store, guard, log, events, get } = setUp()
    store.fault({ kind: 'hang' })
    void get()
    await clock.advance(100)
    store.heal()
    await clock.advance(250)
    expect(guard.stats()).toMatchObject({ circuit: 'closed', outages: 1, inFlight: 0 })
    expect(log.at(-1)).toBe('stackquery: L2 is back after 250 ms; all is well.')
    expect(events).toEqual(['opened', 'recovered'])
    // The call of before is answered at last: it counts no more.
    store.heal({ hanging: 'answer' })
    await clock.settle()
    expect(guard.stats().inFlight).toBe(0)
    expect(await get()).toMatchObject({ isOk: true })
  })

  test('stays open where a probe writes but does not read', async () => {
    const { clock, store, guard, get } = setUp()
    store.fault({ kind: 'hang' }, { operations: ['get'] })
    void get()
    await clock.advance(10_000)
    expect(guard.isOpenForCalls).toBe(false)
    expect(store.calls.set).toBeGreaterThan(2)
  })
})

test('a closed guard probes no more, opens no more, and refuses', async () => {
  const { clock, store, guard, timers, log, get } = setUp()
  store.fault({ kind: 'hang' })
  void get()
  await clock.advance(100)
  guard.close()
  const before = store.calls.set
  await clock.advance(60_000)
  expect(store.calls.set).toBe(before)
  expect(timers.size).toBe(0)
  expect(await get()).toMatchObject({ reason: 'refused' })
  expect(log).toHaveLength(1)
})

test('a guard that is closed under a probe or a call stays as it is', async () => {
  const { clock, store, guard, log, get } = setUp()
  store.fault({ kind: 'hang' })
  void get()
  await clock.advance(350)
  expect(guard.stats().circuit).toBe('probing')
  guard.close()
  store.heal({ hanging: 'answer' })
  await clock.advance(1_000)
  expect([guard.stats().circuit, log.length]).toEqual(['probing', 1])

  const other = setUp()
  other.store.fault({ kind: 'hang' })
  void other.get()
  other.guard.close()
  await other.clock.advance(1_000)
  expect([other.guard.stats().circuit, other.log]).toEqual(['closed', []])
})
