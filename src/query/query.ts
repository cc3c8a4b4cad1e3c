/**
 * One key's entry in L1.
 *
 * Invariants: `held` changes only through `update`, which tells the observers; `fetch` is the fetch that new
 * callers join, so an overtaken one is never here. At rest (no fetch, no observer) it may be evicted.
 * Owns no timer and no connection. The links and `isCached` belong to the memory layer, `fetch` to the fetching
 * layer, `observers` to the observers; nobody else writes them.
 */

import { hashKey } from '../keys/hash-key.ts'
import type { QueryKey } from '../keys/query-key.ts'
import type { BaseQueryOptions } from './query-options.ts'
import { EMPTY, type Held } from './query-state.ts'

/** What a query knows of the fetch that runs for it. */
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

/** What a query knows of those who watch it. */
export interface QueryWatcher {
  /** Whether it may fetch by itself. */
  readonly isEnabled: boolean
  onQueryUpdate(): void
}

export type AnyQueryOptions = BaseQueryOptions<unknown, never>

const NOBODY: readonly QueryWatcher[] = []

export class Query {
  readonly key: QueryKey
  held: Held = EMPTY
  fetch: OngoingFetch | null = null
  /** A list is never changed but replaced, so that leaving during a notification skips nobody. */
  observers: readonly QueryWatcher[] = NOBODY
  /** Those of the last user: what a refetch without options of its own runs with. */
  options: AnyQueryOptions | null = null
  isPaused = false
  /** How often its data was taken away: what was overtaken before must not bring it back. */
  removals = 0
  /** How often it was invalidated: what was read before must not count as fresh. */
  invalidations = 0

  isCached = false
  /** Its place among the evictable; `null` while in use. */
  lane: { readonly gcTime: number } | null = null
  gcTime = 0
  lastUsed = 0
  newer: Query | null = null
  older: Query | null = null

  #hash: string | null = null
  #settled: Promise<unknown> | null = null

  constructor(key: QueryKey) {
    this.key = key
  }

  get hash(): string {
    this.#hash ??= hashKey(this.key)
    return this.#hash
  }

  /** The data as a promise: one for all callers for as long as the data stays. */
  get settled(): Promise<unknown> {
    this.#settled ??= Promise.resolve(this.held.data)
    return this.#settled
  }

  get isInUse(): boolean {
    return this.fetch !== null || this.observers.length > 0
  }

  update(next: Held): void {
    if (next === this.held) return
    if (next.data !== this.held.data) this.#settled = null
    this.held = next
    this.notify()
  }

  notify(): void {
    for (const observer of this.observers) observer.onQueryUpdate()
  }
}
