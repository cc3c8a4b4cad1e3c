/**
 * What a query is, and every way in which that may change: pure transitions from one state to the next.
 *
 * A state has two halves. `data` and what is known of it outlive a fetch; `activity` is the fetch itself and
 * its failures. Nearly all queries of a cache are at rest, so they share the one `AT_REST`. While a fetch runs,
 * its activity remembers the one before it: cancelling is going back to that, and touches no data.
 *
 * May import nothing of the query's machinery.
 */

export type QueryStatus = 'idle' | 'pending' | 'success' | 'error'
export type FetchStatus = 'idle' | 'fetching' | 'paused'

/** Where data came from: the `queryFn`, L2, `setQueryData`, `initialData` or `placeholderData`. */
export type DataSource = 'origin' | 'storage' | 'manual' | 'initial' | 'placeholder'

export interface Activity {
  readonly fetchStatus: FetchStatus
  /** Failed attempts of the fetch that runs, or of the last one if it failed. */
  readonly failureCount: number
  readonly failureReason: Error | null
  /** The error with which the last fetch ended; `null` where it succeeded. */
  readonly error: Error | null
  readonly errorUpdatedAt: number
  /** What a cancelled fetch goes back to; `null` while none runs. */
  readonly before: Activity | null
}

export interface Held {
  /** `undefined` = none; any other value, falsy ones too, is data. */
  readonly data: unknown
  /** Epoch milliseconds; 0 = never. */
  readonly dataUpdatedAt: number
  readonly source: DataSource | null
  readonly isInvalidated: boolean
  readonly activity: Activity
}

/** What new data depends on. */
type Before = Pick<Held, 'dataUpdatedAt' | 'activity'>

export const AT_REST: Activity = {
  fetchStatus: 'idle',
  failureCount: 0,
  failureReason: null,
  error: null,
  errorUpdatedAt: 0,
  before: null,
}

export const EMPTY: Held = {
  data: undefined,
  dataUpdatedAt: 0,
  source: null,
  isInvalidated: false,
  activity: AT_REST,
}

/** A fetch where none has failed before: nearly every one. */
export const FIRST_FETCH: Activity = { ...AT_REST, fetchStatus: 'fetching', before: AT_REST }

export function fetchStarted(held: Held): Held {
  const before = held.activity
  if (before === AT_REST) return { ...held, activity: FIRST_FETCH }
  // An error is what the state says until data replaces it; without data the new fetch is the better news.
  const kept = held.data === undefined ? AT_REST : before
  return {
    ...held,
    activity: {
      fetchStatus: 'fetching',
      failureCount: 0,
      failureReason: null,
      error: kept.error,
      errorUpdatedAt: kept.errorUpdatedAt,
      before,
    },
  }
}

export function fetchPaused(held: Held): Held {
  return { ...held, activity: { ...held.activity, fetchStatus: 'paused' } }
}

export function fetchContinued(held: Held): Held {
  return { ...held, activity: { ...held.activity, fetchStatus: 'fetching' } }
}

export function attemptFailed(held: Held, error: Error): Held {
  const { activity } = held
  return {
    ...held,
    activity: { ...activity, failureCount: activity.failureCount + 1, failureReason: error },
  }
}

export function fetchFailed(held: Held, error: Error, now: number): Held {
  const { activity } = held
  return {
    ...held,
    activity: {
      ...activity,
      fetchStatus: 'idle',
      failureReason: error,
      failureCount: Math.max(1, activity.failureCount),
      error,
      errorUpdatedAt: now,
      before: null,
    },
  }
}

export function fetchCancelled(held: Held): Held {
  return { ...held, activity: held.activity.before ?? AT_REST }
}

/**
 * New data. It never goes back in time, except by the user's own hand: where the clock has stepped back, it is
 * as old as what it replaces. A fetch that still runs goes on, and cancelling it no longer brings back an
 * error that this data has answered. `activity`: what goes on; a fetch that ends with this data says `AT_REST`.
 */
export function dataReceived(
  before: Before,
  data: unknown,
  source: DataSource,
  updatedAt: number,
  isInvalidated: boolean,
  activity = withoutError(before.activity),
): Held {
  const dataUpdatedAt = source === 'manual' ? updatedAt : Math.max(updatedAt, before.dataUpdatedAt)
  return { data, dataUpdatedAt, source, isInvalidated, activity }
}

function withoutError(activity: Activity): Activity {
  if (activity.before === null) return AT_REST
  return activity === FIRST_FETCH
    ? activity
    : { ...activity, error: null, errorUpdatedAt: 0, before: AT_REST }
}

/** The fetch has ended well; its data was there already. */
export function fetchSucceeded(held: Held): Held {
  return { ...held, activity: AT_REST }
}

export function invalidated(held: Held): Held {
  return held.isInvalidated ? held : { ...held, isInvalidated: true }
}
