import { describe, expect, test } from 'vitest'
import { seededRandom, VirtualClock } from '../testing/index.ts'
import { TimerQueue } from './timer-queue.ts'

function setUp() {
  const clock = new VirtualClock({ start: 0 })
  const timers = new TimerQueue(clock)
  const rung: string[] = []
  const at = (delay: number, name = String(delay)) => timers.after(delay, () => rung.push(name))
  return { clock, timers, rung, at }
}

describe('a timer queue', () => {
  test('rings in the order of due times, then of making, over one timer of the clock', async () => {
    const { clock, timers, rung, at } = setUp()
    for (const [delay, name] of [
      [30, 'c'],
      [10, 'a'],
      [20, 'b1'],
      [20, 'b2'],
      [0, 'now'],
    ] as const)
      at(delay, name)
    expect(clock.pendingTimers).toBe(1)
    expect(timers.size).toBe(5)
    await clock.advance(20)
    expect(rung).toEqual(['now', 'a', 'b1', 'b2'])
    expect(clock.pendingTimers).toBe(1)
    await clock.advance(10)
    expect(rung.at(-1)).toBe('c')
    expect([timers.size, clock.pendingTimers]).toEqual([0, 0])
  })

  test('never rings what was cancelled, nor twice', async () => {
    const { clock, timers, rung, at } = setUp()
    const alarm = at(10)
    at(10, 'other')
    timers.cancel(alarm)
    timers.cancel(alarm)
    expect(timers.size).toBe(1)
    await clock.advance(100)
    expect(rung).toEqual(['other'])
    timers.cancel(alarm)
    expect(timers.size).toBe(0)
  })

  test('keeps order through any mixture of setting and cancelling, and forgets the cancelled', async () => {
    const { clock, timers } = setUp()
    const random = seededRandom(7)
    const expected: { due: number; order: number }[] = []
    const rung: { due: number; order: number }[] = []
    for (let order = 0; order < 2_000; order++) {
      const mine = { due: Math.floor(random() * 500), order }
      const alarm = timers.after(mine.due, () => rung.push(mine))
      if (random() < 0.7) timers.cancel(alarm)
      else expected.push(mine)
    }
    expect(timers.size).toBe(expected.length)
    await clock.advance(500)
    expect(rung).toEqual(expected.sort((a, b) => a.due - b.due || a.order - b.order))
  })

  test('takes any delay: longer than the platform’s timers go, and Infinity', async () => {
    const { clock, timers, rung, at } = setUp()
    const longest = 2 ** 31 - 1
    at(3 * longest, 'late')
    const never = at(Number.POSITIVE_INFINITY, 'never')
    await clock.advance(3 * longest - 1)
    expect(rung).toEqual([])
    await clock.advance(1)
    expect(rung).toEqual(['late'])
    timers.cancel(never)
    expect([timers.size, clock.pendingTimers]).toEqual([0, 0])
  })

  test('lets an alarm set another, due now or later', async () => {
    const { clock, timers, rung, at } = setUp()
    timers.after(10, () => {
      at(0, 'at once')
      at(5, 'later')
    })
    await clock.advance(10)
    expect(rung).toEqual(['at once'])
    await clock.advance(5)
    expect(rung).toEqual(['at once', 'later'])
  })

  test('goes by monotonic time, so that a step of the wall clock moves no deadline', async () => {
    let monotonic = 0
    const armed: { callback: () => void; delay: number }[] = []
    const timers = new TimerQueue({
      now: () => Math.random() * 1e12,
      monotonic: () => monotonic,
      setTimeout: (callback, delay) => armed.push({ callback, delay }),
      clearTimeout: () => {},
    })
    let isRung = false
    timers.after(100, () => {
      isRung = true
    })
    expect(armed.at(-1)?.delay).toBe(100)
    monotonic = 99.5
    armed.at(-1)?.callback()
    expect(isRung).toBe(false)
    expect(armed.at(-1)?.delay).toBe(1)
    monotonic = 100
    armed.at(-1)?.callback()
    expect(isRung).toBe(true)
  })

  test('wakes its sleepers when it is closed, rings no more and arms nothing', async () => {
    const { clock, timers, rung, at } = setUp()
    at(10)
    const slept = timers.sleep(1_000_000)
    timers.close()
    await slept
    await timers.sleep(1_000_000)
    const alarm = at(20)
    timers.cancel(alarm)
    await clock.advance(100)
    expect(rung).toEqual([])
    expect(clock.pendingTimers).toBe(0)
  })

  test('lets sleepers sleep as long as they wanted', async () => {
    const { clock, timers } = setUp()
    let isAwake = false
    void timers.sleep(50).then(() => {
      isAwake = true
    })
    await clock.advance(49)
    expect(isAwake).toBe(false)
    await clock.advance(1)
    expect(isAwake).toBe(true)
  })
})
