import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isFresh } from './freshness.ts'
import * as state from './query-state.ts'
import { statusOf, viewOf } from './query-view.ts'

const error = new Error('down')
const withData = (data: unknown, at = 100): state.Held =>
  state.dataReceived(state.EMPTY, data, 'origin', at, false)

describe('transitions', () => {
  it('a first fetch: idle, pending, success', () => {
    const started = state.fetchStarted(state.EMPTY)
    const received = state.dataReceived(started, 'data', 'origin', 5, false)
    const done = state.fetchSucceeded(received)
    expect(state.dataReceived(started, 'data', 'origin', 5, false, state.AT_REST)).toEqual(done)
    expect([state.EMPTY, started, received, done].map(statusOf)).toEqual([
      'idle',
      'pending',
      'success',
      'success',
    ])
    expect(done).toMatchObject({ data: 'data', dataUpdatedAt: 5, source: 'origin', activity: state.AT_REST })
  })

  it('a fetch that fails keeps data and its age, and says why', () => {
    const failed = state.fetchFailed(
      state.attemptFailed(
        state.attemptFailed(state.fetchStarted(withData('kept')), new Error('first')),
        error,
      ),
      error,
      500,
    )
    expect(failed).toMatchObject({
      data: 'kept',
      dataUpdatedAt: 100,
      activity: {
        fetchStatus: 'idle',
        failureCount: 2,
        failureReason: error,
        error,
        errorUpdatedAt: 500,
        before: null,
      },
    })
    expect(statusOf(failed)).toBe('error')
  })

  it('a failure without an attempt counts as one', () => {
    expect(state.fetchFailed(state.fetchStarted(state.EMPTY), error, 1).activity.failureCount).toBe(1)
  })

  it('while data is fetched again its error stays; without data the new fetch is the better news', () => {
    const failed = (held: state.Held) => state.fetchFailed(state.fetchStarted(held), error, 1)
    expect(statusOf(state.fetchStarted(failed(withData('kept'))))).toBe('error')
    expect(statusOf(state.fetchStarted(failed(state.EMPTY)))).toBe('pending')
  })

  it('pausing and continuing change the fetch status alone', () => {
    const started = state.fetchStarted(withData(1))
    const paused = state.fetchPaused(started)
    expect(paused.activity.fetchStatus).toBe('paused')
    expect(state.fetchContinued(paused)).toEqual(started)
  })

  it('cancelling with nothing before it is being at rest', () => {
    expect(state.fetchCancelled(withData(1)).activity).toBe(state.AT_REST)
  })

  it('invalidating twice is invalidating once; new data answers it', () => {
    const once = state.invalidated(withData(1))
    expect(state.invalidated(once)).toBe(once)
    expect(state.dataReceived(once, 2, 'origin', 200, false).isInvalidated).toBe(false)
    expect(state.dataReceived(once, 2, 'storage', 200, true).isInvalidated).toBe(true)
  })
})

describe('laws', () => {
  const anyData = fc.constantFrom<unknown>(0, '', false, null, 'x', Number.NaN)
  const instant = fc.integer({ min: 1, max: 1_000 })
  const during = fc.array(
    fc.constantFrom(
      state.fetchPaused,
      state.fetchContinued,
      (held: state.Held) => state.attemptFailed(held, error),
      state.invalidated,
    ),
    { maxLength: 6 },
  )
  const base = fc.oneof(
    fc.constant(state.EMPTY),
    anyData.map((data) => withData(data)),
    anyData.map((data) => state.fetchFailed(state.fetchStarted(withData(data)), error, 7)),
    fc.constant(state.fetchFailed(state.fetchStarted(state.EMPTY), error, 7)),
  )

  it('cancelling goes back to the activity before the fetch, whatever came in between, and touches no data', () => {
    fc.assert(
      fc.property(base, during, (held, changes) => {
        const reached = changes.reduce((next, change) => change(next), state.fetchStarted(held))
        const cancelled = state.fetchCancelled(reached)
        expect(cancelled.activity).toBe(held.activity)
        expect({ ...cancelled, isInvalidated: false }).toEqual({ ...held, isInvalidated: false })
      }),
    )
  })

  it('data that arrives during a fetch survives its cancelling, and answers the error before', () => {
    fc.assert(
      fc.property(base, anyData, instant, (held, data, at) => {
        const set = state.dataReceived(state.fetchStarted(held), data, 'manual', at, false)
        expect(set.activity.fetchStatus).toBe('fetching')
        const cancelled = state.fetchCancelled(set)
        expect(cancelled).toMatchObject({ data, dataUpdatedAt: at, activity: state.AT_REST })
        expect(statusOf(cancelled)).toBe('success')
      }),
    )
  })

  it('the age of data never goes back, except by hand', () => {
    fc.assert(
      fc.property(
        instant,
        instant,
        fc.constantFrom('origin' as const, 'storage' as const, 'initial' as const),
        (first, second, source) => {
          const held = withData('x', first)
          expect(state.dataReceived(held, 'y', source, second, false).dataUpdatedAt).toBe(
            Math.max(first, second),
          )
          expect(state.dataReceived(held, 'y', 'manual', second, false).dataUpdatedAt).toBe(second)
        },
      ),
    )
  })

  it('what is derived agrees with what it is derived from', () => {
    fc.assert(
      fc.property(base, during, fc.boolean(), fc.boolean(), (held, changes, isFetching, isPaused) => {
        const reached = changes.reduce(
          (next, change) => change(next),
          isFetching ? state.fetchStarted(held) : held,
        )
        const view = viewOf(reached, isPaused, false)
        expect([view.isIdle, view.isPending, view.isSuccess, view.isError].filter(Boolean)).toHaveLength(1)
        expect(view.isLoading).toBe(view.isPending && view.isFetching)
        expect(view.hasData).toBe(view.data !== undefined)
        expect(view.isFetching && view.isPaused).toBe(false)
        if (view.isSuccess) expect(view.hasData).toBe(true)
        if (view.isIdle || view.isPending) expect(view.hasData).toBe(false)
        expect(view.isError).toBe(view.error !== null)
      }),
    )
  })

  it('freshness: never without data, when invalidated or at staleTime 0; always at Infinity', () => {
    fc.assert(
      fc.property(
        anyData,
        instant,
        fc.integer({ min: -100, max: 2_000 }),
        fc.integer({ min: 0, max: 500 }),
        (data, at, now, staleTime) => {
          const held = withData(data, at)
          expect(isFresh(held, 0, now)).toBe(false)
          expect(isFresh(held, Number.POSITIVE_INFINITY, now)).toBe(true)
          expect(isFresh(state.invalidated(held), Number.POSITIVE_INFINITY, now)).toBe(false)
          expect(isFresh(state.EMPTY, Number.POSITIVE_INFINITY, now)).toBe(false)
          if (now >= at) expect(isFresh(held, staleTime, now)).toBe(now - at < staleTime)
        },
      ),
    )
  })
})
