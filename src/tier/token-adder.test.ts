import { expect, test } from 'vitest'
import { SafeLogger } from '../resilience/safe-logger.ts'
import { TimerQueue } from '../resilience/timer-queue.ts'
import { MemoryStorage } from '../storages/memory/index.ts'
import { VirtualClock } from '../testing/index.ts'
import { MAX_IN_FLIGHT, StorageGuard } from './storage-guard.ts'
import { TokenAdder } from './token-adder.ts'

function setUp(add?: (key: string) => Promise<boolean>) {
  const clock = new VirtualClock()
  const backend = new MemoryStorage({ clock })
  const guard = new StorageGuard({
    backend,
    clock,
    timers: new TimerQueue(clock),
    logger: new SafeLogger({ info() {}, warn() {}, error() {} }),
    timeout: 100,
    probeKey: 'probe',
    random: () => 1,
    onOpened: () => {},
    onRecovered: () => '',
  })
  let most = 0
  const adder = new TokenAdder(guard, async (key, token) => {
    most = Math.max(most, guard.stats().inFlight)
    return add === undefined ? backend.add(key, token) : add(key)
  })
  return { clock, backend, guard, adder, most: () => most }
}

test('tokens of one turn share calls, few at a time, and each has its own answer', async () => {
  const { clock, backend, guard, adder, most } = setUp()
  await backend.set('t7', 'of another')
  const adding = Array.from({ length: 1_000 }, (_, n) => adder.add(`t${n}`, `token ${n}`))
  await clock.settle()
  expect(await Promise.all(adding)).toEqual(Array.from({ length: 1_000 }, (_, n) => n !== 7))
  expect([await backend.get('t7'), await backend.get('t999')]).toEqual(['of another', 'token 999'])
  expect([guard.stats().operations.set.count, most()]).toEqual([16, 4 * 64])
})

test('one that fails leaves the others theirs; where all do, the call has failed', async () => {
  const { clock, guard, adder } = setUp(async (key) => {
    if (key.startsWith('bad')) throw new Error('no')
    return true
  })
  const mixed = ['good', 'bad', 'better'].map((key) => adder.add(key, 'token'))
  await clock.settle()
  expect(await Promise.all(mixed)).toEqual([true, undefined, true])
  expect(guard.stats().operations.set).toMatchObject({ count: 1, failures: 0 })
  const bad = ['bad', 'bad too'].map((key) => adder.add(key, 'token'))
  await clock.settle()
  expect(await Promise.all(bad)).toEqual([undefined, undefined])
  expect(guard.stats().operations.set).toMatchObject({ count: 2, failures: 1 })
})

test('one that is never answered holds nobody for longer than the deadline', async () => {
  const { clock, adder } = setUp(() => new Promise<boolean>(() => {}))
  const added = adder.add('t', 'token')
  await clock.advance(100)
  expect(await added).toBeUndefined()
})

test('those of one call are as many in flight: they are let through where there is room for all', async () => {
  const { clock, guard, adder } = setUp()
  const hang = (calls: number): void => {
    for (let n = 0; n < calls; n++) void guard.run('get', () => new Promise(() => {}))
  }
  hang(MAX_IN_FLIGHT - 64)
  const fitting = Array.from({ length: 64 }, (_, n) => adder.add(`t${n}`, 'token'))
  await clock.settle()
  expect(await Promise.all(fitting)).toEqual(Array(64).fill(true))
  hang(1)
  const tooMany = Array.from({ length: 64 }, (_, n) => adder.add(`u${n}`, 'token'))
  await clock.settle()
  expect(await Promise.all(tooMany)).toEqual(Array(64).fill(undefined))
  expect([guard.stats().inFlight, guard.stats().refused]).toEqual([MAX_IN_FLIGHT - 63, 1])
})
