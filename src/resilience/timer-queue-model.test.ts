import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { VirtualClock } from '../testing/virtual-clock.ts'
import { type Alarm, TimerQueue } from './timer-queue.ts'

/** A clock that counts its timers, and whether the one that is armed keeps the process alive. */
function createClock() {
  const virtual = new VirtualClock({ start: 0 })
  const armed = new Map<unknown, { delay: number; isKept: boolean }>()
  const clock = {
    now: () => virtual.now(),
    setTimeout: (callback: () => void, delay: number) => {
      const handle = virtual.setTimeout(() => {
        armed.delete(handle)
        callback()
      }, delay)
      armed.set(handle, { delay, isKept: false })
      return handle
    },
    clearTimeout: (handle: unknown) => {
      armed.delete(handle)
      virtual.clearTimeout(handle)
    },
    keepAlive: (handle: unknown, isKept: boolean) => {
      const timer = armed.get(handle)
      if (timer !== undefined) timer.isKept = isKept
    },
  }
  return { virtual, clock, armed: () => [...armed.values()] }
}

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('after' as const), n: fc.integer({ min: 0, max: 50 }) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('cancel' as const), n: fc.nat({ max: 400 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('advance' as const), n: fc.integer({ min: 0, max: 20 }) }),
  },
)

describe('TimerQueue', () => {
  it('rings what a sorted list would ring, in the same order, over one timer', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 300 }), async (steps) => {
        const { virtual, clock, armed } = createClock()
        const queue = new TimerQueue(clock)
        const alarms: Alarm[] = []
        let model: { n: number; due: number }[] = []
        const rung: number[] = []
        const expected: number[] = []
        for (const { do: what, n } of steps) {
          if (what === 'after') {
            const id = alarms.length
            alarms.push(queue.after(n, () => rung.push(id)))
            model.push({ n: id, due: virtual.now() + n })
          }
          const alarm = alarms[n]
          if (what === 'cancel' && alarm !== undefined) {
            queue.cancel(alarm)
            model = model.filter((each) => each.n !== n)
          }
          if (what === 'advance') {
            await virtual.advance(n)
            const due = model
              .filter((each) => each.due <= virtual.now())
              .sort((a, b) => a.due - b.due || a.n - b.n)
            expected.push(...due.map((each) => each.n))
            model = model.filter((each) => each.due > virtual.now())
          }
          expect(rung).toEqual(expected)
          expect(queue.size).toBe(model.length)
          expect(armed().length).toBeLessThanOrEqual(1)
        }
      }),
      { numRuns: 60 },
    )
  })

  it('forgets cancelled alarms when they outnumber the living', () => {
    const { clock } = createClock()
    const queue = new TimerQueue(clock)
    const alarms = Array.from({ length: 1_000 }, (_, n) => queue.after(1_000 + n, () => {}))
    for (const alarm of alarms.slice(0, 990)) queue.cancel(alarm)
    for (const alarm of alarms.slice(0, 990)) queue.cancel(alarm)
    expect(queue.size).toBe(10)
  })

  it('never arms a timer that the platform cannot wait for, and rings on time all the same', async () => {
    const { virtual, clock, armed } = createClock()
    const queue = new TimerQueue(clock)
    const long = 3 * 2 ** 31
    let at = 0
    queue.after(long, () => {
      at = virtual.now()
    })
    queue.after(Number.POSITIVE_INFINITY, () => {
      at = -1
    })
    expect(armed().map(({ delay }) => delay)).toEqual([2 ** 31 - 1])
    await virtual.advance(long)
    expect([at, armed().length, queue.size]).toEqual([long, 0, 0])
  })

  it('waits again where its timer comes early', async () => {
    const { virtual, clock } = createClock()
    const early = {
      ...clock,
      setTimeout: (ring: () => void, delay: number) => clock.setTimeout(ring, delay / 2),
    }
    const queue = new TimerQueue(early)
    let at = 0
    queue.after(100, () => {
      at = virtual.now()
    })
    await virtual.advance(1_000)
    expect(at).toBeGreaterThanOrEqual(100)
    expect(at).toBeLessThan(102)
  })

  it('goes by monotonic time where the clock has it', async () => {
    const { virtual, clock } = createClock()
    let wall = 0
    const queue = new TimerQueue({ ...clock, now: () => wall, monotonic: () => virtual.now() })
    let isRung = false
    queue.after(100, () => {
      isRung = true
    })
    wall = -1_000_000
    await virtual.advance(100)
    expect(isRung).toBe(true)
  })

  it('lets an alarm make and cancel others', async () => {
    const { virtual, clock } = createClock()
    const queue = new TimerQueue(clock)
    const rung: string[] = []
    const second = { alarm: queue.after(20, () => {}) }
    queue.after(10, () => {
      rung.push('first')
      queue.cancel(second.alarm)
      queue.cancel(third)
      queue.after(0, () => rung.push('at once'))
      queue.after(5, () => rung.push('later'))
    })
    const third = queue.after(10, () => rung.push('third'))
    await virtual.advance(100)
    expect(rung).toEqual(['first', 'at once', 'later'])
  })

  it('lets others go on where an alarm sets itself again at once, or throws', async () => {
    const { virtual, clock } = createClock()
    const queue = new TimerQueue(clock)
    let rings = 0
    let others = 0
    const again = () => {
      if (++rings < 1_000) queue.after(0, again)
    }
    queue.after(10, again)
    virtual.setTimeout(() => others++, 10)
    await virtual.advance(10)
    expect([rings, others]).toEqual([1_000, 1])
    queue.after(5, () => {
      throw new Error('ring')
    })
    queue.after(5, () => others++)
    await expect(virtual.advance(5)).rejects.toThrow('ring')
    await virtual.advance(1)
    expect(others).toBe(2)
  })

  it('keeps the process alive from hold to release, and then only', async () => {
    const { virtual, clock, armed } = createClock()
    const queue = new TimerQueue(clock)
    const isKept = () => armed().map((timer) => timer.isKept)
    queue.after(100, () => {})
    expect(isKept()).toEqual([false])
    queue.hold()
    queue.hold()
    expect(isKept()).toEqual([true])
    queue.after(50, () => {})
    await virtual.advance(60)
    queue.release()
    expect(isKept()).toEqual([true])
    queue.release()
    expect(isKept()).toEqual([false])
    await virtual.advance(100)
    queue.hold()
    queue.release()
    expect(isKept()).toEqual([])
  })

  it('closed, it rings nothing more and wakes who sleeps', async () => {
    const { virtual, clock, armed } = createClock()
    const queue = new TimerQueue(clock)
    const seen: string[] = []
    const before = queue.after(10, () => seen.push('rung'))
    void queue.sleep(Number.POSITIVE_INFINITY).then(() => seen.push('woken'))
    queue.close()
    queue.cancel(before)
    const after = queue.after(1, () => seen.push('rung'))
    queue.cancel(after)
    await queue.sleep(1_000)
    await virtual.advance(100)
    expect([seen, armed().length, queue.size]).toEqual([['woken'], 0, 0])
  })

  it('sleep settles after its time', async () => {
    const { virtual, clock } = createClock()
    const queue = new TimerQueue(clock)
    let isAwake = false
    void queue.sleep(50).then(() => {
      isAwake = true
    })
    await virtual.advance(49)
    expect(isAwake).toBe(false)
    await virtual.advance(1)
    expect(isAwake).toBe(true)
  })
})
