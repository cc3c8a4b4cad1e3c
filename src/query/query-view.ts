/** The state of a query as users see it: what is held, with everything that follows from it. Pure. */

import type { DataSource, FetchStatus, Held, QueryStatus } from './query-state.ts'

export interface QueryState<T> {
  /** `'idle'`: nothing yet and nothing under way. `'pending'`: the first data is on its way. */
  readonly status: QueryStatus
  /** `'paused'`: held by `pauseQueries`, whether a fetch waits or not. */
  readonly fetchStatus: FetchStatus
  /** The data, kept while it is refreshed and when that fails; `undefined` = none. */
  readonly data: T | undefined
  /** The error with which the last fetch ended, `null` where it ended well. */
  readonly error: Error | null
  /** Epoch milliseconds; 0 = never. */
  readonly dataUpdatedAt: number
  /** Epoch milliseconds; 0 = never. */
  readonly errorUpdatedAt: number
  /** Failed attempts of the fetch that runs, or of the last one if it failed. */
  readonly fetchFailureCount: number
  /** Why the last attempt failed; `null` once a fetch has ended well. */
  readonly fetchFailureReason: Error | null
  readonly isInvalidated: boolean
  /** Where the data came from; `null` = there is none. */
  readonly source: DataSource | null
  readonly isIdle: boolean
  readonly isPending: boolean
  readonly isSuccess: boolean
  readonly isError: boolean
  readonly isFetching: boolean
  /** The first data is on its way: pending and fetching. */
  readonly isLoading: boolean
  readonly isPaused: boolean
  /** A fetch now would ask L2 or the origin. */
  readonly isStale: boolean
  readonly hasData: boolean
}

export function statusOf(held: Held): QueryStatus {
  if (held.activity.error !== null) return 'error'
  if (held.data !== undefined) return 'success'
  return held.activity.fetchStatus === 'idle' ? 'idle' : 'pending'
}

export function viewOf(held: Held, isPaused: boolean, isStale: boolean): QueryState<unknown> {
  const { activity } = held
  const isIdle = activity.fetchStatus === 'idle'
  return view({
    status: statusOf(held),
    fetchStatus: isPaused && isIdle ? 'paused' : activity.fetchStatus,
    data: held.data,
    error: activity.error,
    dataUpdatedAt: held.dataUpdatedAt,
    errorUpdatedAt: activity.errorUpdatedAt,
    fetchFailureCount: activity.failureCount,
    fetchFailureReason: activity.failureReason,
    isInvalidated: held.isInvalidated,
    source: held.source,
    isStale,
  })
}

type Derived =
  | 'isIdle'
  | 'isPending'
  | 'isSuccess'
  | 'isError'
  | 'isFetching'
  | 'isLoading'
  | 'isPaused'
  | 'hasData'

/** What a state says by itself; the rest follows from it. */
export type BareState<T> = Omit<QueryState<T>, Derived>

/** Adds to a state what follows from it. Written out: a spread would cost more than all that is told of it. */
export function view<T>(state: BareState<T>): QueryState<T> {
  const { status, fetchStatus, data } = state
  return {
    status,
    fetchStatus,
    data,
    error: state.error,
    dataUpdatedAt: state.dataUpdatedAt,
    errorUpdatedAt: state.errorUpdatedAt,
    fetchFailureCount: state.fetchFailureCount,
    fetchFailureReason: state.fetchFailureReason,
    isInvalidated: state.isInvalidated,
    source: state.source,
    isStale: state.isStale,
    isIdle: status === 'idle',
    isPending: status === 'pending',
    isSuccess: status === 'success',
    isError: status === 'error',
    isFetching: fetchStatus === 'fetching',
    isLoading: status === 'pending' && fetchStatus === 'fetching',
    isPaused: fetchStatus === 'paused',
    hasData: data !== undefined,
  }
}

export function isSameState(a: BareState<unknown>, b: BareState<unknown>): boolean {
  return (
    Object.is(a.data, b.data) &&
    a.status === b.status &&
    a.fetchStatus === b.fetchStatus &&
    a.error === b.error &&
    a.dataUpdatedAt === b.dataUpdatedAt &&
    a.errorUpdatedAt === b.errorUpdatedAt &&
    a.fetchFailureCount === b.fetchFailureCount &&
    a.fetchFailureReason === b.fetchFailureReason &&
    a.isInvalidated === b.isInvalidated &&
    a.source === b.source &&
    a.isStale === b.isStale
  )
}
