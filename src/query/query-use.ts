/** What a query knows of those who use it. */

/** The fetch that runs for it. */
export interface OngoingFetch {
  /** Settles with the fetch. */
  readonly promise: Promise<unknown>
  /** One more caller waits for it. */
  join(signal: AbortSignal | undefined): Promise<unknown>
  /** Ends it now: its callers are rejected with `reason`, its query goes back to the state before it. */
  cancel(reason: Error): void
  /**
   * An invalidation has come between. Returns whether the query has lost this fetch by it; `false` = it goes on, since
   * its origin call begins only after the invalidation.
   */
  overtake(kind: 'soft' | 'hard'): boolean
  /** Its query is no longer paused. */
  wake(): void
}

/** Who watches it. */
export interface QueryWatcher {
  /** Whether it may fetch by itself. */
  readonly isEnabled: boolean
  onQueryUpdate(): void
}
