import { expect, test } from 'vitest'
import { TimerQueue } from '../resilience/timer-queue.ts'
import { BackendCalls, type Outcome } from './backend-calls.ts'

const TIMEOUT = 100

/** Time that moves, and a timer that rings, when the test says so: late, if it likes. */
function setUp() {
  let now = 0
  const held: boolean[] = []
  let ring = (): void => {}
  const clock = {
    now: () => now,
    setTimeout: (callback: () => void) => {
      ring = callback
      return 1
    },
    clearTimeout: () => {},
    keepAlive: (_: unknown, isKept: boolean) => void held.push(isKept),
  }
  const timers = new TimerQueue(clock)
  const calls = new BackendCalls({ clock, timers, timeout: TIMEOUT })
  const told: string[] = []
  const begin = (name: string, call: () => unknown): void => {
    const done = (outcome: Outcome<unknown>) => told.push(`${name} ${outcome.isOk ? 'ok' : outcome.reason}`)
    calls.begin('get', { call, done, late: () => told.push(`${name} late`) }, null)
  }
  const ringAt = (moment: number): void => {
    now = moment
    ring()
  }
  return { timers, calls, told, held, begin, ringAt }
}

const never = () => new Promise(() => {})

async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await undefined
}

test.each([
  ['a value', () => 'v', 'ok'],
  ['a promise', async () => 'v', 'ok'],
  ['a rejection', () => Promise.reject(new Error('no')), 'failure'],
  [
    'an exception',
    () => {
      throw new Error('no')
    },
    'failure',
  ],
])('%s is an outcome, told later', async (_, call, outcome) => {
  const { calls, told, begin } = setUp()
  begin('a', call)
  expect([told, calls.underWay]).toEqual([[], 1])
  await settle()
  expect([told, calls.underWay]).toEqual([[`a ${outcome}`], 0])
})

test('an answer that the task does not accept is a failure', async () => {
  const { calls } = setUp()
  const outcome = new Promise<Outcome<unknown>>((done) => {
    const check = () => {
      throw new TypeError('odd answer')
    }
    calls.begin('get', { call: () => 1, check, done }, null)
  })
  expect(await outcome).toMatchObject({ reason: 'failure', error: { message: 'L2 get failed: odd answer' } })
  expect(calls.stats().get).toMatchObject({ count: 1, failures: 1 })
})

test('a time-out is told after all alarms of its moment have rung', async () => {
  const { timers, told, begin, ringAt } = setUp()
  begin('a', never)
  timers.after(TIMEOUT, () => told.push('other alarm'))
  ringAt(TIMEOUT)
  expect(told).toEqual(['other alarm'])
  await settle()
  expect(told).toEqual(['other alarm', 'a timeout'])
})

test('a call that hangs holds no process: it may be nobody waits for it', async () => {
  const { told, held, begin, ringAt } = setUp()
  begin('a', never)
  ringAt(TIMEOUT)
  await settle()
  expect([told, held]).toEqual([['a timeout'], []])
})

test('an alarm that comes late gives as much time again, at most the time-out once more', async () => {
  const { told, begin, ringAt } = setUp()
  begin('a', never)
  ringAt(TIMEOUT + 30)
  await settle()
  expect(told).toEqual([])
  ringAt(TIMEOUT + 60)
  await settle()
  expect(told).toEqual(['a timeout'])

  const other = setUp()
  other.begin('b', never)
  other.ringAt(60_000)
  await settle()
  other.ringAt(60_000 + TIMEOUT)
  await settle()
  expect(other.told).toEqual(['b timeout'])
})

test('who began a call is told when its outcome came', async () => {
  const { calls, ringAt } = setUp()
  const moments: (number | undefined)[] = []
  const done = (_: unknown, at?: number) => void moments.push(at)
  calls.begin('get', { call: never, done }, null)
  ringAt(TIMEOUT)
  calls.begin('get', { call: () => 'v', done }, null)
  await settle()
  expect(moments).toEqual([TIMEOUT, TIMEOUT])
})
