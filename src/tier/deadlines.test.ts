import { describe, expect, test } from 'vitest'
import { TimerQueue } from '../resilience/timer-queue.ts'
import { VirtualClock } from '../testing/index.ts'
import { Deadlines, type Waiter } from './deadlines.ts'

function setUp() {
  const clock = new VirtualClock()
  const timers = new TimerQueue(clock)
  const told: string[] = []
  const deadlines = new Deadlines(timers, () => clock.now())
  const wait = (name: string, limit: number): Waiter => {
    const waiter = { group: null, next: null, previous: null, giveUp: () => void told.push(name) }
    deadlines.wait(limit, waiter)
    return waiter
  }
  return { clock, timers, told, deadlines, wait }
}

describe('deadlines', () => {
  test('ring each at its time, those of one millisecond by one alarm', async () => {
    const { clock, timers, told, wait } = setUp()
    for (const name of ['a', 'b', 'c']) wait(name, 100)
    wait('later', 200)
    expect(timers.size).toBe(2)
    await clock.advance(99)
    expect(told).toEqual([])
    await clock.advance(1)
    expect(told).toEqual(['a', 'b', 'c'])
    await clock.advance(100)
    expect(told).toEqual(['a', 'b', 'c', 'later'])
    expect(timers.size).toBe(0)
  })

  test('are never later than asked for', async () => {
    const { clock, told, wait } = setUp()
    wait('fraction', 99.9)
    await clock.advance(99)
    expect(told).toEqual(['fraction'])
  })

  test('are told to nobody who has left, and who was told cannot leave', async () => {
    const { clock, told, deadlines, wait } = setUp()
    const left = wait('left', 100)
    const told1 = wait('told', 100)
    expect(deadlines.leave(left)).toBe(true)
    expect(deadlines.leave(left)).toBe(false)
    await clock.advance(100)
    expect(told).toEqual(['told'])
    expect(deadlines.leave(told1)).toBe(false)
  })

  test('leave no alarms behind: however many come and go, one is kept for the next', async () => {
    const { clock, timers, deadlines, wait } = setUp()
    for (let i = 0; i < 1_000; i++) {
      deadlines.leave(wait('', 5_000))
      await clock.advance(1)
    }
    expect(timers.size).toBe(1)
  })

  test('one alarm serves all who wait alone, and rings for each at its time', async () => {
    const { clock, timers, told, deadlines, wait } = setUp()
    deadlines.leave(wait('left', 100))
    await clock.advance(60)
    wait('second', 100)
    expect(timers.size).toBe(1)
    await clock.advance(99)
    expect(told).toEqual([])
    await clock.advance(1)
    expect([told, timers.size]).toEqual([['second'], 0])
  })

  test('one that was kept for the next ends at its alarm, where nobody waits', async () => {
    const { clock, timers, deadlines, wait } = setUp()
    deadlines.leave(wait('left', 100))
    await clock.advance(60)
    deadlines.leave(wait('left', 100))
    await clock.advance(40)
    expect(timers.size).toBe(0)
  })

  test('one that is shorter than those before is not kept waiting by them', async () => {
    const { clock, timers, told, deadlines, wait } = setUp()
    deadlines.leave(wait('left', 1_000))
    wait('long', 500)
    wait('short', 100)
    deadlines.leave(wait('left', 50))
    await clock.advance(100)
    expect(told).toEqual(['short'])
    await clock.advance(400)
    expect(told).toEqual(['short', 'long'])
    await clock.advance(1_000)
    expect(timers.size).toBe(0)
  })

  test('end all at once when L2 goes away, of any length', () => {
    const { timers, told, deadlines, wait } = setUp()
    wait('a', 100)
    wait('never', Number.POSITIVE_INFINITY)
    deadlines.endAll()
    expect(told).toEqual(['a', 'never'])
    expect(timers.size).toBe(0)
  })

  test.each([0, 1, 2])('the others are told when one of three has left (%i)', async (place) => {
    const { clock, timers, told, deadlines, wait } = setUp()
    const waiters = ['a', 'b', 'c'].map((name) => wait(name, 100))
    deadlines.leave(waiters[place]!)
    wait('d', 100)
    await clock.advance(100)
    expect(told).toEqual(['a', 'b', 'c', 'd'].filter((_, at) => at !== place))
    expect(timers.size).toBe(0)
  })

  test('one that is set while others ring is not lost', async () => {
    const { clock, told, deadlines, wait } = setUp()
    deadlines.wait(100, { group: null, next: null, previous: null, giveUp: () => void wait('second', 100) })
    await clock.advance(200)
    expect(told).toEqual(['second'])
  })
})
