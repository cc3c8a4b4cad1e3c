/**
 * The options of one query, and the check that they are in range.
 *
 * `TClient` is the client's type: the layers below the client do not know it. `TPrevious` is `T` wherever `T` is written
 * down; where the compiler is to find `T` out from the function's result, it cannot be in the function's parameter too.
 */

import { InvalidOptionError } from '../errors.ts'
import type { QueryKey } from '../keys/query-key.ts'
import type { StandardSchemaV1 } from '../ports/standard-schema.ts'
import type { Awaitable } from '../ports/storage.ts'
import {
  assertDuration,
  assertFunction,
  assertObject,
  assertOneOf,
  assertPositiveDuration,
  quoted,
} from './option-checks.ts'
import type { QueryState } from './query-view.ts'

export interface QueryFnContext<T, TClient> {
  readonly queryKey: QueryKey
  /** Aborted when the fetch is cancelled, times out, or is no longer awaited by anybody. */
  readonly signal: AbortSignal
  readonly client: TClient
  /** The query's `meta`, as given. */
  readonly meta: unknown
  /** What the cache holds now, if anything: for conditional requests. */
  readonly previous?: { readonly data: T; readonly dataUpdatedAt: number } | undefined
}

/**
 * Whether to try again: how often, always (`true`), never (`false`), or a function of the failures *before* this
 * one (0 at the first) and the error.
 */
export type Retry = number | boolean | ((failureCount: number, error: Error) => boolean)

/** Milliseconds before the next attempt; `attempt` is 0 before the first retry. */
export type RetryDelay = number | ((attempt: number, error: Error) => number)

export interface BaseQueryOptions<T, TClient, TPrevious = T> {
  /** Names the data. Equal keys share one entry, one fetch and one place in L2. */
  queryKey: QueryKey
  /** Gets the data from its origin. Must not resolve to `undefined`: that means "none". */
  queryFn?: ((context: QueryFnContext<TPrevious, TClient>) => Awaitable<T>) | undefined
  /**
   * For how long data is fresh, in milliseconds from 0 (always stale) to Infinity (until invalidated).
   * @default the client's `staleTime`, 0
   */
  staleTime?: number | undefined
  /**
   * Unused for this long, in milliseconds, an unobserved query leaves L1. The longest among the users of a query
   * counts. 0 = as soon as its fetch has ended.
   * @default the client's `gcTime`, 300_000
   */
  gcTime?: number | undefined
  /**
   * For how long L2 keeps the data, in milliseconds.
   * @default the client's `storageTtl`, which is its `gcTime`
   */
  storageTtl?: number | undefined
  /** @default the client's `retry`, 3 */
  retry?: Retry | undefined
  /** @default the client's `retryDelay`, `min(1000 * 2 ** attempt, 30_000)` */
  retryDelay?: RetryDelay | undefined
  /**
   * What a call gets that finds stale data: `'serve'` = the data at once, refreshed behind; `'wait'` = the refreshed
   * data.
   * @default 'serve'
   */
  whenStale?: 'serve' | 'wait' | undefined
  /**
   * `false` keeps this query out of L2.
   * @default true
   */
  storage?: boolean | undefined
  /**
   * Milliseconds, greater than 0, after which a fetch, retries included, is aborted, fails with `FETCH_TIMEOUT` and
   * frees its key.
   * @default none
   */
  fetchTimeout?: number | undefined
  /** Passed to `queryFn`; the library never looks inside. */
  meta?: unknown
  /** Run on data from L2 and from `queryFn`; an L2 value that fails is a miss, an origin value that fails is an error. */
  validate?: StandardSchemaV1<T> | undefined
  /** Put in the cache where the query has no data yet. */
  initialData?: T | (() => T | undefined) | undefined
  /**
   * When the initial data was right, in epoch milliseconds: it ages from there.
   * @default now
   */
  initialDataUpdatedAt?: number | undefined
  /**
   * Aborts this caller's waiting. The fetch itself is aborted when its last waiter has left.
   * @default none
   */
  signal?: AbortSignal | undefined
  /** Called after each fetch that brought data from the origin. What it throws is logged and changes nothing. */
  onSuccess?: ((data: T) => unknown) | undefined
  /** Called after each fetch that failed, background refreshes included. */
  onError?: ((error: Error) => unknown) | undefined
  /** Called after `onSuccess` or `onError`. */
  onSettled?: ((data: T | undefined, error: Error | null) => unknown) | undefined
}

/** What only an observer looks at. */
export interface BaseObserverOptions<T, S, TClient, TPrevious = T>
  extends BaseQueryOptions<T, TClient, TPrevious> {
  /** Derives what the observer shows; run again only when the data or the function changes. */
  select?: ((data: T) => S) | undefined
  /**
   * `false`: the observer shows what the cache has and never fetches by itself.
   * @default true
   */
  enabled?: boolean | undefined
  /** Shown while there is no data; never cached. */
  placeholderData?: T | (() => T | undefined) | undefined
  /**
   * Fetches again every so many milliseconds (greater than 0; `false` = not), while subscribed to; on servers too.
   * @default false
   */
  refetchInterval?: number | false | ((state: QueryState<T>) => number | false) | undefined
}

const BOOLEANS = [true, false]
const WHEN_STALE = ['serve', 'wait']

export function assertQueryOptions(options: BaseObserverOptions<never, never, never>): void {
  assertObject('options', options)
  assertFunction('queryFn', options.queryFn)
  assertDuration('staleTime', options.staleTime)
  assertDuration('gcTime', options.gcTime)
  assertDuration('storageTtl', options.storageTtl)
  assertRetry(options.retry, options.retryDelay)
  assertOneOf('whenStale', options.whenStale, WHEN_STALE)
  assertOneOf('storage', options.storage, BOOLEANS)
  assertOneOf('enabled', options.enabled, BOOLEANS)
  assertPositiveDuration('fetchTimeout', options.fetchTimeout)
  const signal: unknown = options.signal
  if (signal !== undefined && typeof (signal as AbortSignal | null)?.addEventListener !== 'function')
    throw new InvalidOptionError(`Invalid signal: ${quoted(signal)}; expected an AbortSignal.`)
  assertDuration('initialDataUpdatedAt', options.initialDataUpdatedAt)
  const interval: unknown = options.refetchInterval
  if (interval !== false && typeof interval !== 'function')
    assertPositiveDuration('refetchInterval', interval)
  const schema: unknown = options.validate
  if (
    schema !== undefined &&
    typeof (schema as StandardSchemaV1 | null)?.['~standard']?.validate !== 'function'
  ) {
    throw new InvalidOptionError(
      `Invalid validate: ${quoted(schema)}; expected a Standard Schema (zod, valibot, arktype …).`,
    )
  }
  assertFunction('select', options.select)
  assertFunction('onSuccess', options.onSuccess)
  assertFunction('onError', options.onError)
  assertFunction('onSettled', options.onSettled)
}

export function assertRetry(retry: unknown, retryDelay: unknown): void {
  const isCount = typeof retry === 'number' && retry >= 0
  if (!isCount && typeof retry !== 'boolean' && typeof retry !== 'function' && retry !== undefined) {
    throw new InvalidOptionError(
      `Invalid retry: ${quoted(retry)}; expected a number from 0 to Infinity, a boolean or a function.`,
    )
  }
  if (typeof retryDelay !== 'function') assertDuration('retryDelay', retryDelay)
}
