import { queryObjects } from 'node:v8'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EMPTY } from '../query/query-state.ts'
import { TimerQueue } from '../resilience/timer-queue.ts'
import { VirtualClock } from '../testing/virtual-clock.ts'
import { Lane } from './lane.ts'
import { QueryCache } from './query-cache.ts'

const watcher = { isEnabled: true, onQueryUpdate: () => {} }

function create(maxSize = 1_000) {
  const clock = new VirtualClock({ start: 0 })
  const cache = new QueryCache(maxSize, clock, new TimerQueue(clock))
  const names = () => cache.under([]).map(({ key }) => key[0])
  return { clock, cache, names }
}

const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('obtain' as const),
      n: fc.nat(9),
      gc: fc.constantFrom(5, 20, 50),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('admit' as const),
      n: fc.nat(9),
      gc: fc.constantFrom(5, 20, 50),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('touch' as const), n: fc.nat(9), gc: fc.constant(0) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('watch' as const), n: fc.nat(9), gc: fc.constant(0) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('leave' as const), n: fc.nat(9), gc: fc.constant(0) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('remove' as const), n: fc.nat(9), gc: fc.constant(0) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('advance' as const), n: fc.nat(9), gc: fc.constant(0) }),
  },
)

describe('QueryCache', () => {
  it('holds what a naive cache would: least recently used and expired ones leave, those in use never', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
        const { clock, cache, names } = create(4)
        let model: { n: number; gc: number; used: number; isWatched: boolean }[] = []
        const shrink = (spared: number | null) => {
          while (model.length > 4) {
            const victim = model.find((each) => !each.isWatched && each.n !== spared)
            if (victim === undefined) return
            model = model.filter((each) => each !== victim)
          }
        }
        const use = (each: (typeof model)[number]) => {
          model = [...model.filter((other) => other !== each), each]
          each.used = clock.now()
        }
        for (const { do: what, n, gc } of steps) {
          const entry = model.find((each) => each.n === n)
          const query = cache.get([n])
          if (what === 'obtain') {
            cache.obtain([n], gc)
            if (entry === undefined) {
              model.push({ n, gc, used: clock.now(), isWatched: false })
              shrink(n)
            } else if (gc > entry.gc) {
              entry.gc = gc
              if (!entry.isWatched) use(entry)
            }
          }
          if (what === 'admit' && entry === undefined) {
            cache.admit([n], gc).addObserver(watcher)
            model.push({ n, gc, used: clock.now(), isWatched: true })
            shrink(n)
          }
          if (what === 'touch' && entry !== undefined && query !== undefined) {
            cache.touch(query, clock.now())
            if (!entry.isWatched) use(entry)
          }
          if (what === 'watch' && entry !== undefined && query !== undefined) {
            query.addObserver(watcher)
            cache.use(query)
            entry.isWatched = true
          }
          if (what === 'leave' && entry?.isWatched === true && query !== undefined) {
            query.removeObserver(watcher)
            cache.settleDown(query)
            entry.isWatched = false
            use(entry)
            shrink(null)
          }
          if (what === 'remove' && query !== undefined) {
            cache.remove(query)
            model = model.filter((each) => each !== entry)
          }
          if (what === 'advance') {
            await clock.advance(n)
            model = model.filter((each) => each.isWatched || each.used + each.gc > clock.now())
          }
          expect([...names()].sort()).toEqual(model.map((each) => each.n).sort())
          expect(cache.size).toBe(model.length)
          expect(clock.pendingTimers).toBeLessThanOrEqual(1)
        }
      }),
      { numRuns: 60 },
    )
  })

  it('finds by key and by prefix, and gives the same query to all', () => {
    const { cache } = create()
    const query = cache.obtain(['a', { x: 1 }], 100)
    expect(cache.obtain(['a', { x: 1 }], 5)).toBe(query)
    expect(cache.get(['a', { x: 1 }])).toBe(query)
    expect(cache.under(['a'])).toEqual([query])
    expect([query.gcTime, query.isCached, query.held]).toEqual([100, true, EMPTY])
  })

  it('forgets a removed query once, whatever is done with it afterwards', () => {
    const { cache, clock } = create()
    const query = cache.obtain(['a'], 100)
    cache.remove(query)
    cache.remove(query)
    cache.settleDown(query)
    cache.touch(query, clock.now())
    cache.use(query)
    expect([cache.size, query.isCached, query.lane, cache.evictions]).toEqual([0, false, null, 0])
    expect(cache.obtain(['a'], 1)).not.toBe(query)
  })

  it('evicts by the order of use in all lanes, also where the clock stands still or steps back', () => {
    const { cache, names } = create(4)
    const use = (name: string, now: number): void => {
      const query = cache.get([name])
      if (query !== undefined) cache.touch(query, now)
    }
    cache.obtain(['a'], 100)
    cache.obtain(['b'], 200)
    cache.obtain(['c'], 100)
    cache.obtain(['d'], 200)
    use('b', 0)
    use('a', 0)
    use('b', -10)
    cache.obtain(['e'], 300)
    cache.obtain(['f'], 300)
    expect(names()).toEqual(['a', 'b', 'e', 'f'])
    cache.obtain(['g'], 300)
    expect(names()).toEqual(['b', 'e', 'f', 'g'])
  })

  it('keeps what vouches for a query where there is an L2, and elsewhere has no room for it', () => {
    const clock = new VirtualClock({ start: 0 })
    const vouchers = { hard: 'h', soft: 's' }
    const kept = [true, false].map((isVouched) => {
      const query = new QueryCache(10, clock, new TimerQueue(clock), isVouched).obtain(['a'], 100)
      query.vouchers = vouchers
      return query.vouchers
    })
    expect(kept).toEqual([vouchers, null])
  })

  it('does not evict the newest to make room for itself', () => {
    const { cache, names } = create(1)
    const first = cache.obtain(['first'], 100)
    first.addObserver(watcher)
    cache.use(first)
    cache.obtain(['second'], 100)
    expect(names()).toEqual(['first', 'second'])
    cache.obtain(['third'], 100)
    expect(names()).toEqual(['first', 'third'])
  })

  it('keeps for ever what has gcTime Infinity, with no timer', () => {
    const { cache, clock } = create()
    cache.obtain(['a'], Number.POSITIVE_INFINITY)
    expect(clock.pendingTimers).toBe(0)
  })
})

describe('what was found last', () => {
  it('lets the lanes of a gcTime go that nobody rests in any more', () => {
    const { cache, clock } = create()
    const other = cache.obtain(['other'], 5)
    const before = queryObjects(Lane, { format: 'count' })
    for (let gcTime = 1_000; gcTime < 1_300; gcTime++) {
      const resting = cache.obtain(['rested', gcTime], gcTime)
      const used = cache.obtain(['used', gcTime], gcTime)
      used.addObserver(watcher)
      cache.use(used)
      used.removeObserver(watcher)
      cache.settleDown(used)
      cache.touch(resting, clock.now())
      cache.remove(resting)
      if (gcTime % 2 === 0) cache.touch(other, clock.now())
      cache.remove(used)
    }
    // One may be left: of the last use.
    expect(queryObjects(Lane, { format: 'count' }) - before).toBeLessThanOrEqual(1)
    expect(cache.size).toBe(1)
  })

  it('is found again by its key alone', () => {
    const { cache } = create()
    const user = cache.obtain(['user', 1], 1_000)
    cache.obtain(['user', 2], 1_000)
    cache.obtain(['user'], 1_000)
    for (const _ of [1, 2]) expect(cache.get(['user', 1])).toBe(user)
    expect(cache.get(['user', 2])).not.toBe(user)
    expect(cache.get(['user', 1])).toBe(user)
    expect(cache.get(['user'])).not.toBe(user)
    expect(cache.get(['user', '1'])).toBeUndefined()
    expect(() => cache.get('user' as never)).toThrow('Invalid query key')
  })

  it('is gone when it has been removed, or taken the place of', () => {
    const { cache } = create()
    const first = cache.obtain(['a'], 1_000)
    expect(cache.get(['a'])).toBe(first)
    cache.remove(first)
    expect(cache.get(['a'])).toBeUndefined()
    const second = cache.obtain(['a'], 1_000)
    expect(second).not.toBe(first)
    expect(cache.get(['a'])).toBe(second)
  })
})
