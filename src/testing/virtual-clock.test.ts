import { describe, expect, it } from 'vitest'
import { InvalidOptionError } from '../errors.ts'
import { VirtualClock } from './virtual-clock.ts'

describe('VirtualClock', () => {
  it('runs due timers by instant, then by insertion, each at its own instant', async () => {
    const clock = new VirtualClock({ start: 1_000 })
    const seen: string[] = []
    clock.setTimeout(() => seen.push(`b@${clock.now()}`), 20)
    clock.setTimeout(() => seen.push(`c@${clock.now()}`), 20)
    clock.setTimeout(() => seen.push(`a@${clock.now()}`), 10)
    clock.setTimeout(() => seen.push('late'), 31)
    await clock.advance(30)
    expect(seen).toEqual(['a@1010', 'b@1020', 'c@1020'])
    expect(clock.now()).toBe(1_030)
    expect(clock.pendingTimers).toBe(1)
  })

  it('runs timers that are set on the way, also from deep promise chains', async () => {
    const clock = new VirtualClock()
    const start = clock.now()
    const seen: number[] = []
    clock.setTimeout(async () => {
      for (let depth = 0; depth < 500; depth += 1) await null
      await new Promise<void>((resolve) => setImmediate(resolve))
      clock.setTimeout(() => seen.push(clock.now() - start), 5)
    }, 10)
    clock.setTimeout(() => seen.push(clock.now() - start), 16)
    await clock.advance(20)
    expect(seen).toEqual([15, 16])
  })

  it('drains without moving time on settle', async () => {
    const clock = new VirtualClock()
    const before = clock.now()
    let isDone = false
    void (async () => {
      for (let depth = 0; depth < 500; depth += 1) await null
      isDone = true
    })()
    let ran = false
    clock.setTimeout(() => {
      ran = true
    }, 0)
    await clock.settle()
    expect([isDone, ran, clock.now()]).toEqual([true, false, before])
    await clock.advance(0)
    expect(ran).toBe(true)
  })

  it('clears timers, keeps infinite ones and never runs them', async () => {
    const clock = new VirtualClock()
    let ran = 0
    const handle = clock.setTimeout(() => {
      ran += 1
    }, 1)
    clock.setTimeout(() => {
      ran += 1
    }, Infinity)
    clock.clearTimeout(handle)
    clock.clearTimeout(undefined)
    await clock.advance(Number.MAX_SAFE_INTEGER / 2)
    expect([ran, clock.pendingTimers]).toEqual([0, 1])
  })

  it('queues concurrent advances', async () => {
    const clock = new VirtualClock({ start: 0 })
    await Promise.all([clock.advance(10), clock.advance(10), clock.settle()])
    expect(clock.now()).toBe(20)
  })

  it('rejects advance with what a timer threw and goes on afterwards', async () => {
    const clock = new VirtualClock({ start: 0 })
    clock.setTimeout(() => {
      throw new Error('boom')
    }, 5)
    await expect(clock.advance(10)).rejects.toThrow('boom')
    expect(clock.now()).toBe(5)
    await clock.advance(10)
    expect(clock.now()).toBe(15)
  })

  it('reports a timer that sets itself again with no delay instead of hanging', async () => {
    const clock = new VirtualClock({ drain: async () => {} })
    const again = (): void => void clock.setTimeout(again, 0)
    again()
    await expect(clock.advance(1)).rejects.toThrow('sets itself again')
  })

  it('gives skewed views of the same time', async () => {
    const clock = new VirtualClock({ start: 100 })
    const other = clock.skewed(-40)
    let at = 0
    other.setTimeout(() => {
      at = other.now()
    }, 10)
    await clock.advance(10)
    expect(at).toBe(70)
    other.skew = 7
    expect(other.now()).toBe(117)
  })

  it('refuses what is no duration', async () => {
    const clock = new VirtualClock()
    await expect(clock.advance(-1)).rejects.toThrow(InvalidOptionError)
    await expect(clock.advance(Number.NaN)).rejects.toThrow('NaN')
    expect(() => new VirtualClock({ start: Number.NaN })).toThrow(InvalidOptionError)
  })
})
