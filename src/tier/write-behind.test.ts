import { describe, expect, test } from 'vitest'
import type { StorageBackend } from '../ports/storage.ts'
import { SafeLogger } from '../resilience/safe-logger.ts'
import { TimerQueue } from '../resilience/timer-queue.ts'
import { MemoryStorage } from '../storages/memory/index.ts'
import { ChaosStorage, VirtualClock } from '../testing/index.ts'
import { type OwedDelete, OwedDeletes } from './owed-deletes.ts'
import { PendingWrite } from './pending-write.ts'
import { StorageGuard } from './storage-guard.ts'
import { WriteBehind, type WriteLimits } from './write-behind.ts'

function setUp(
  limits: WriteLimits = { count: 1_000, bytes: 1_000_000 },
  strip: (keyof StorageBackend)[] = [],
) {
  const clock = new VirtualClock()
  const memory = new MemoryStorage({ clock })
  const store = new ChaosStorage(memory, { clock })
  for (const name of strip) Object.defineProperty(store, name, { value: undefined })
  const log: string[] = []
  const note = (message: string) => log.push(message)
  const logger = new SafeLogger({ info: note, warn: note, error: note })
  const timers = new TimerQueue(clock)
  const random = () => 1
  const guard: StorageGuard = new StorageGuard({
    backend: store as StorageBackend,
    clock,
    timers,
    logger,
    timeout: 100,
    probeKey: 'probe',
    random,
    onOpened: () => {},
    onRecovered: () => `replaying ${writes.resume()} writes`,
  })
  const ended: string[] = []
  const owed = new OwedDeletes('n')
  const tombstone = ({ storageKey, hash }: OwedDelete) =>
    new PendingWrite({
      storageKey,
      isToken: false,
      produce: null,
      expiresAt: null,
      onDone: () => ended.push(`${hash} deleted`),
      onDropped: () => ended.push(`${hash} dropped`),
    })
  const writes: WriteBehind = new WriteBehind({
    guard,
    clock,
    timers,
    logger,
    random,
    limits,
    owed,
    tombstone,
  })
  const put = (storageKey: string, value: string | null | (() => string | null | undefined), more = {}) => {
    const write = new PendingWrite({
      storageKey,
      isToken: false,
      produce: typeof value === 'function' ? value : () => value,
      expiresAt: null,
      onDone: () => ended.push(`${storageKey} done`),
      onDropped: () => ended.push(`${storageKey} dropped`),
      ...more,
    })
    writes.put(write)
    return write
  }
  return { clock, memory, store, log, guard, writes, put, ended, timers }
}

describe('writes', () => {
  test('go out behind the caller, in batches, and are told when L2 has them', async () => {
    const { clock, memory, store, writes, put, ended } = setUp()
    for (let n = 0; n < 600; n++) put(`k${n}`, `v${n}`)
    expect(store.inFlight).toBe(0)
    expect(writes.stats().pending).toBe(600)
    await clock.settle()
    expect(memory.size).toBe(600)
    expect(store.calls).toMatchObject({ setMany: 2, set: 0 })
    expect(writes.stats()).toEqual({ pending: 0, pendingBytes: 0, written: 600, superseded: 0, dropped: 0 })
    expect(ended).toHaveLength(600)
  })

  test('go out in larger batches to a store that takes them quickly, until it is slow or refuses one', async () => {
    const { clock, store, writes, put } = setUp({ count: 100_000, bytes: 1e9 })
    const sizes: number[] = []
    const setMany = store.setMany!.bind(store)
    const counting = (entries: Parameters<typeof setMany>[0]) => {
      sizes.push(entries.length)
      return setMany(entries)
    }
    Object.defineProperty(store, 'setMany', { value: counting })
    let n = 0
    const burst = async (size: number) => {
      sizes.length = 0
      for (let i = 0; i < size; i++) put(`k${n++}`, 'v')
      await clock.advance(10_000)
      return [...sizes]
    }
    let heal = store.fault({ kind: 'delay', delay: 12 })
    expect(await burst(6_000)).toEqual([256, 512, 1_024, 2_048, 2_048, 112])
    heal()
    heal = store.fault({ kind: 'delay', delay: 26 })
    expect(await burst(4_000)).toEqual([2_048, 1_024, 512, 256, 160])
    heal()
    await burst(6_000)
    heal = store.fault({ kind: 'reject' }, { operations: ['setMany'] })
    expect((await burst(2_500))[1]).toBe(256)
    heal()
    expect(writes.stats()).toMatchObject({ pending: 0, written: 18_500 })
  })

  test('of one key: the newest alone, and a tombstone is a delete', async () => {
    const { clock, memory, store, writes, put } = setUp()
    put('k', 'one')
    put('k', 'two')
    put('k', 'three')
    await clock.settle()
    expect(await memory.get('k')).toBe('three')
    expect(writes.stats()).toMatchObject({ written: 1, superseded: 2 })
    put('k', 'four')
    put('k', null)
    await clock.settle()
    expect(await memory.get('k')).toBe(null)
    expect(store.calls.deleteMany).toBe(1)
  })

  test('are seen by peek until L2 has them', async () => {
    const { clock, writes, put } = setUp()
    const write = put('k', 'v')
    expect(writes.peek('k')).toBe(write)
    await clock.settle()
    expect(writes.peek('k')).toBeUndefined()
  })

  test('go one by one to a store of three methods', async () => {
    const { clock, memory, store, put } = setUp(undefined, ['setMany', 'deleteMany'])
    put('a', '1')
    put('b', '2')
    await clock.settle()
    put('a', null)
    await clock.settle()
    expect([store.calls.set, store.calls.delete, memory.size]).toEqual([2, 1, 1])
  })

  test('carry what is left of their life, and are deletes where nothing is', async () => {
    const { clock, memory, put, store } = setUp()
    store.fault({ kind: 'hang' })
    put('short', 'v', { expiresAt: clock.now() + 1_000 })
    put('long', 'v', { expiresAt: clock.now() + 60_000 })
    await clock.advance(5_000)
    store.heal({ hanging: 'reject' })
    await clock.advance(6_000)
    expect(await memory.get('short')).toBe(null)
    expect(await memory.get('long')).toBe('v')
    await clock.advance(50_000)
    expect(await memory.get('long')).toBe(null)
  })

  test('that cannot be made yet wait, and hold nobody up', async () => {
    const { clock, memory, writes, put } = setUp()
    let value: string | undefined
    put('unmade', () => value)
    put('k', 'v')
    await clock.settle()
    expect(await memory.get('k')).toBe('v')
    expect(writes.stats().pending).toBe(1)
    value = 'made'
    await clock.advance(60_000)
    expect(await memory.get('unmade')).toBe('made')
  })

  test('of tokens go before all others', async () => {
    const { clock, store, put } = setUp()
    const order: string[] = []
    store.fault({ kind: 'delay', delay: 1 }, { keys: (key) => order.push(key) > 0 })
    put('entry', 'v')
    put('token', 't', { isToken: true })
    await clock.advance(10)
    expect(order).toEqual(['token', 'entry'])
  })
})

describe('a store that fails', () => {
  test('in a part of a batch has the others soon, each alone', async () => {
    const { clock, memory, store, put } = setUp()
    store.fault({ kind: 'partial' })
    for (let n = 0; n < 20; n++) put(`k${n}`, 'v')
    await clock.advance(1_000)
    expect(memory.size).toBe(20)
  })

  test('at a batch for one bad item in it has the others soon, and is not asked for them again', async () => {
    const { clock, memory, store, put } = setUp()
    store.fault({ kind: 'reject' }, { keys: (key) => key === 'bad' })
    for (let n = 0; n < 20; n++) put(n === 7 ? 'bad' : `k${n}`, 'v')
    await clock.advance(300)
    expect(memory.size).toBe(19)
    expect(store.calls.setMany).toBe(1)
  })

  test('at one item for ever loses that item after ten attempts, with growing pauses', async () => {
    const { clock, store, writes, put, ended, log } = setUp()
    const tried: number[] = []
    const start = clock.now()
    store.fault({ kind: 'reject' }, { keys: (key) => key === 'bad' && tried.push(clock.now() - start) > 0 })
    put('bad', 'v')
    await clock.advance(200_000)
    expect(tried).toHaveLength(10)
    for (let n = 2; n < tried.length; n++)
      expect((tried[n] as number) - (tried[n - 1] as number)).toBeGreaterThan(
        (tried[n - 1] as number) - (tried[n - 2] as number),
      )
    expect([ended, writes.stats().dropped]).toEqual([['bad dropped'], 1])
    expect(log).toEqual([expect.stringContaining('L2 refused bad 10 times')])
  })

  test('at a token is tried for ever: losing it would lose an invalidation', async () => {
    const { clock, memory, store, writes, put } = setUp()
    store.fault({ kind: 'reject' }, { keys: (key) => key === 'token' })
    put('token', 't', { isToken: true })
    await clock.advance(3_600_000)
    expect(writes.stats()).toMatchObject({ pending: 1, dropped: 0 })
    store.heal()
    await clock.advance(30_000)
    expect(await memory.get('token')).toBe('t')
  })

  test('to answer in time may still do what it was told: its successor waits for it', async () => {
    const { clock, memory, store, put, guard } = setUp()
    store.fault(
      { kind: 'delay', delay: 5_000 },
      { keys: (key) => key === 'k', operations: ['setMany', 'set'] },
    )
    put('k', 'old')
    await clock.advance(100)
    expect(guard.isOpenForCalls).toBe(false)
    store.heal()
    put('k', 'new')
    await clock.advance(4_000)
    // L2 is back, and yet the new value must not go before the old one has come or is surely lost.
    expect(guard.isOpenForCalls).toBe(true)
    expect(await memory.get('k')).toBe(null)
    await clock.advance(1_000)
    expect(await memory.get('k')).toBe('new')
  })

  test('never to answer is believed lost after a minute', async () => {
    const { clock, memory, store, put } = setUp()
    store.fault({ kind: 'hang' }, { keys: (key) => key === 'k' })
    put('k', 'old')
    await clock.advance(100)
    store.heal()
    put('k', 'new')
    await clock.advance(59_000)
    expect(await memory.get('k')).toBe(null)
    await clock.advance(2_000)
    expect(await memory.get('k')).toBe('new')
  })

  test('altogether keeps everything, and gets it when it is back', async () => {
    const { clock, memory, store, writes, put, log } = setUp()
    store.fault({ kind: 'hang' })
    put('a', '1')
    await clock.advance(100)
    for (let n = 0; n < 500; n++) put(`k${n}`, `v${n}`)
    put('k0', 'newer')
    await clock.advance(1_000_000)
    expect(writes.stats()).toMatchObject({ pending: 501, dropped: 0 })
    store.heal({ hanging: 'reject' })
    await clock.advance(6_000)
    expect(writes.stats()).toMatchObject({ pending: 0, dropped: 0 })
    // With the probe's.
    expect(memory.size).toBe(502)
    expect(await memory.get('k0')).toBe('newer')
    expect(log.at(-1)).toContain('replaying 501 writes')
  })
})

describe('the bounds', () => {
  test('of count: the oldest entries go, and are told', async () => {
    const { clock, store, writes, put, ended } = setUp({ count: 10, bytes: 1e9 })
    store.fault({ kind: 'hang' }, { keys: (key) => key === 'first' })
    put('first', 'v')
    await clock.advance(100)
    for (let n = 0; n < 25; n++) put(`k${n}`, 'v')
    expect(writes.stats()).toMatchObject({ pending: 10, dropped: 16 })
    expect(ended.slice(0, 3)).toEqual(['first dropped', 'k0 dropped', 'k1 dropped'])
    expect(writes.peek('k24')).toBeDefined()
  })

  test('of bytes, when the values are made', async () => {
    const { clock, store, writes, put } = setUp({ count: 1_000, bytes: 50_000 })
    store.fault({ kind: 'hang' })
    put('first', 'v')
    await clock.advance(100)
    for (let n = 0; n < 20; n++) put(`k${n}`, 'x'.repeat(5_000))
    await clock.settle()
    const { pending, pendingBytes, dropped } = writes.stats()
    expect(pendingBytes).toBeLessThanOrEqual(50_000)
    expect([pending + dropped, writes.peek('k19') !== undefined]).toEqual([21, true])
  })

  test('do not count tokens against entries, nor drop them', async () => {
    const { clock, store, writes, put } = setUp({ count: 10, bytes: 1e9 })
    store.fault({ kind: 'hang' })
    put('first', 'v')
    await clock.advance(100)
    for (let n = 0; n < 100; n++) put(`t${n}`, 'token', { isToken: true })
    for (let n = 0; n < 20; n++) put(`k${n}`, 'v')
    expect(writes.stats()).toMatchObject({ pending: 110, dropped: 11 })
  })

  test('leave alone what is under way', async () => {
    const { clock, store, writes, put } = setUp({ count: 5, bytes: 1e9 })
    store.fault({ kind: 'delay', delay: 50 })
    for (let n = 0; n < 5; n++) put(`sent${n}`, 'v')
    await clock.advance(10)
    for (let n = 0; n < 5; n++) put(`k${n}`, 'v')
    expect(writes.stats().dropped).toBe(5)
    expect(writes.peek('sent0')).toBeDefined()
    await clock.advance(100)
    expect(writes.stats()).toMatchObject({ pending: 0, written: 5, dropped: 5 })
  })

  test('hold where what is given up brings tokens that take as much room', async () => {
    const { clock, store, writes, put } = setUp({ count: 1_000, bytes: 2_500 })
    store.fault({ kind: 'hang' })
    put('first', 'v')
    await clock.advance(100)
    for (let n = 0; n < 5; n++) {
      const onDropped = () => put(`t${n}`, 'x'.repeat(200), { isToken: true })
      put(`k${n}`, 'v', { onDropped })
    }
    await clock.settle()
    put('last', 'v')
    expect(writes.stats()).toMatchObject({ dropped: 7, pending: 5 })
    store.heal({ hanging: 'reject' })
    await clock.advance(10_000)
    put('then', 'v')
    await clock.settle()
    expect(writes.stats()).toMatchObject({ written: 6, pending: 0 })
  })

  test('cost the same however long they have been exceeded, and hold no dead writes', async () => {
    const { clock, store, writes, put } = setUp({ count: 100, bytes: 1e9 })
    store.fault({ kind: 'hang' })
    put('first', 'v')
    await clock.advance(100)
    for (let n = 0; n < 50_000; n++) put(`k${n % 30_000}`, 'v')
    expect(writes.stats()).toMatchObject({ pending: 100, dropped: 49_901 })
  })
})

describe('flush', () => {
  test('tries what waits for its next attempt at once, and returns when nothing is left', async () => {
    const { clock, memory, store, writes, put } = setUp()
    store.fault({ kind: 'reject' }, { when: [true, true, false] })
    put('k', 'v')
    await clock.settle()
    const flushed = writes.flush(5_000)
    await clock.advance(100)
    expect(await flushed).toEqual({ written: 1, pending: 0 })
    expect(await memory.get('k')).toBe('v')
  })

  test('returns when its time is over, with how many still wait', async () => {
    const { clock, store, writes, put } = setUp()
    store.fault({ kind: 'hang' })
    put('a', 'v')
    put('b', 'v')
    const start = clock.now()
    let took = -1
    const flushed = writes.flush(1_000).then((result) => {
      took = clock.now() - start
      return result
    })
    await clock.advance(1_000)
    expect(await flushed).toEqual({ written: 0, pending: 2 })
    expect(took).toBe(1_000)
  })

  test('of nothing returns at once', async () => {
    expect(await setUp().writes.flush(1_000)).toEqual({ written: 0, pending: 0 })
  })
})

test('a closed queue sends nothing more and leaves no alarm', async () => {
  const { clock, memory, store, writes, put, guard, timers } = setUp()
  store.fault({ kind: 'reject' }, { keys: (key) => key === 'bad' })
  put('bad', 'v')
  await clock.settle()
  writes.close()
  guard.close()
  put('k', 'v')
  await clock.advance(60_000)
  expect([memory.size, timers.size]).toEqual([0, 0])
})

describe('deletes that L2 is owed while it is away', () => {
  async function away(limits?: WriteLimits, first = 'k', more = {}) {
    const set = setUp(limits)
    const { store, put, clock } = set
    for (const id of ['a', 'b', 'c']) await set.memory.set(`n:d:["${id}"]`, 'old')
    store.fault({ kind: 'hang' })
    put(first, 'v', more)
    await clock.advance(100)
    expect(set.guard.isOpenForCalls).toBe(false)
    const back = async () => {
      store.heal({ hanging: 'reject' })
      await clock.advance(120_000)
      expect(set.guard.isOpenForCalls).toBe(true)
    }
    return { ...set, back }
  }

  test('wait without a write of their own, are counted, and are done when it is back', async () => {
    const { writes, memory, back, ended } = await away()
    const { pendingBytes } = writes.stats()
    expect(writes.owe('["a"]')).toBe(true)
    expect(writes.owe('["a"]')).toBe(true)
    expect(writes.stats()).toMatchObject({ pending: 2, superseded: 1 })
    expect(writes.stats().pendingBytes).toBeGreaterThan(pendingBytes)
    await back()
    expect(ended).toEqual(['k done', '["a"] deleted'])
    expect(await memory.get('n:d:["a"]')).toBe(null)
    expect(await memory.get('n:d:["b"]')).toBe('old')
    expect(writes.stats()).toMatchObject({ pending: 0, pendingBytes: 0, written: 2, dropped: 0 })
  })

  test('more of them than one batch holds are all done', async () => {
    const { writes, memory, back } = await away({ count: 10_000, bytes: 10_000_000 })
    for (let n = 0; n < 1_000; n++) {
      await memory.set(`n:d:["${n}"]`, 'old')
      expect(writes.owe(`["${n}"]`)).toBe(true)
    }
    await back()
    for (let n = 0; n < 1_000; n++) expect(await memory.get(`n:d:["${n}"]`)).toBe(null)
    expect(writes.stats()).toMatchObject({ pending: 0, written: 1_001 })
  })

  test('are tombstones to who asks for them, before and after it is back', async () => {
    const { writes } = await away()
    writes.owe('["a"]')
    expect(writes.peek('n:d:["b"]')).toBeUndefined()
    expect(writes.peek('n:d:["a"]')).toMatchObject({ value: null })
    expect(writes.peek('n:d:["a"]')).toBe(writes.peek('n:d:["a"]'))
    expect(writes.stats()).toMatchObject({ pending: 2, superseded: 0 })
  })

  test('give way to a newer write of their key, and it to them', async () => {
    const { writes, put, memory, back } = await away()
    writes.owe('["a"]')
    put('n:d:["a"]', 'new')
    expect(writes.stats()).toMatchObject({ pending: 2, superseded: 1 })
    put('n:d:["b"]', 'new')
    // A value waits for that key: the queue knows what to do with it.
    expect(writes.owe('["b"]')).toBe(false)
    await back()
    expect(await memory.get('n:d:["a"]')).toBe('new')
    expect(writes.stats()).toMatchObject({ pending: 0, dropped: 0 })
  })

  test('follow a tombstone of their key that is under way', async () => {
    const { writes, memory, back } = await away(undefined, 'n:d:["a"]', { produce: null })
    expect(writes.owe('["a"]')).toBe(true)
    await back()
    expect(await memory.get('n:d:["a"]')).toBe(null)
    expect(writes.stats()).toMatchObject({ pending: 0, pendingBytes: 0, dropped: 0 })
  })

  test('beyond the bounds the oldest are given up, and told', async () => {
    const { writes, ended } = await away({ count: 3, bytes: 1_000_000 })
    for (const id of ['a', 'b', 'c', 'd']) expect(writes.owe(`["${id}"]`)).toBe(true)
    expect(ended).toEqual(['k dropped', '["a"] dropped'])
    expect(writes.stats()).toMatchObject({ pending: 3, dropped: 2 })
  })

  test('take room, long names too', async () => {
    const { writes, ended } = await away({ count: 1_000, bytes: 5_000 })
    for (let n = 0; n < 20; n++) writes.owe(`["${'x'.repeat(150)}${n}"]`)
    const { pending, dropped, pendingBytes } = writes.stats()
    expect(pending + dropped).toBe(21)
    expect(dropped).toBeGreaterThan(5)
    expect(ended).toHaveLength(dropped)
    expect(pendingBytes).toBeLessThanOrEqual(5_000)
  })

  test('are put as writes where their name does not tell the key, or L2 is there', async () => {
    const { writes } = await away()
    expect(writes.owe('["é"]')).toBe(false)
    expect(writes.owe(`["${'x'.repeat(200)}"]`)).toBe(false)
    expect(setUp().writes.owe('["a"]')).toBe(false)
  })
})
