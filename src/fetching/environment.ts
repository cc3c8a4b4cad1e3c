/** What all fetches of a client share. Types and plain records only. */

import type { QueryCache } from '../memory/query-cache.ts'
import type { Clock } from '../ports/clock.ts'
import type { Retry, RetryDelay } from '../query/query-options.ts'
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

/** A fetch that has lost its query. */
export interface Departure {
  /** Its origin call has really ended. */
  readonly gone: Promise<void>
  /** Ends it and those that it waits for. */
  cancel(reason: Error): void
}

export interface FetchEnvironment {
  readonly clock: Clock
  readonly timers: TimerQueue
  readonly logger: SafeLogger
  readonly cache: QueryCache
  /** `null`: a client without L2. */
  readonly tier: StorageTier | null
  readonly defaults: QueryDefaults
  readonly counters: FetchCounters
  /**
   * Origin calls that an invalidation has overtaken and that still run, by key hash: the next fetch of the key
   * waits for them, so that a key has one origin call at a time.
   */
  readonly departing: Map<string, Departure>
  /** The client, for the context of `queryFn`. */
  readonly client: unknown
}
