/** What all fetches of a client share. Types and plain records only. */

import type { Fleet } from '../fleet/fleet.ts'
import type { QueryCache } from '../memory/query-cache.ts'
import type { Clock } from '../ports/clock.ts'
import type { Retry, RetryDelay } from '../query/query-options.ts'
import type { OngoingFetch } from '../query/query-use.ts'
import type { AbortWatch } from '../resilience/abort-watch.ts'
import type { SafeLogger } from '../resilience/safe-logger.ts'
import type { TimerQueue } from '../resilience/timer-queue.ts'
import type { StorageTier } from '../tier/storage-tier.ts'

/** The client's defaults for what a query does not say itself. */
export interface QueryDefaults {
  readonly staleTime: number
  readonly gcTime: number
  readonly storageTtl: number
  readonly retry: Retry
  readonly retryDelay: RetryDelay
}

export interface FetchCounters {
  /** Calls answered by fresh data in L1. */
  memoryHits: number
  /** Calls that L1 could not answer. */
  memoryMisses: number
  /** Calls answered by stale data, in L1 or from L2, while a refresh ran behind. */
  staleServes: number
  /** Calls that joined a fetch that already ran. */
  joins: number
  originCalls: number
  originFailures: number
}

/** A fetch that an invalidation has overtaken, and what it waits for itself. */
export interface DepartingFetch {
  /** Settles when its origin call has ended, or its `fetchTimeout` has passed. */
  readonly gone: Promise<void>
  /** Ends it now: its callers are rejected with `reason`. */
  cancel(reason: Error): void
  /**
   * The next fetch of its key is about to call the origin: what has not done so yet ends with the outcome of that.
   * Returns what is to be waited for before, `null` = nothing any longer.
   */
  follow(next: OngoingFetch): Promise<void> | null
  /** A removal has come on top: nothing of it may be stored. */
  condemn(): void
  /** Its query is no longer paused. */
  wake(): void
}

export interface FetchEnvironment {
  readonly clock: Clock
  readonly timers: TimerQueue
  readonly logger: SafeLogger
  readonly cache: QueryCache
  /** `null`: a client without L2. */
  readonly tier: StorageTier | null
  /** `null` exactly where `tier` is. */
  readonly fleet: Fleet | null
  /** The most that L2 may add to a fetch, in milliseconds. */
  readonly storageTimeout: number
  readonly defaults: QueryDefaults
  readonly counters: FetchCounters
  /**
   * Origin calls that an invalidation has overtaken and that still run, by key hash: the next fetch of the key
   * waits for them, so that a key has one origin call at a time.
   */
  readonly departing: Map<string, DepartingFetch>
  readonly aborts: AbortWatch
  /** The client, for the context of `queryFn`. */
  readonly client: unknown
}
