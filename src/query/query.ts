/**
 * One key's entry in L1.
 *
 * Invariants: the state changes only through `update` and `invalidate`, which tell the observers, and `forget`; `fetch` is
 * the fetch that new callers join, so an overtaken one is never here. At rest (no fetch, no observer) it may be evicted.
 * Owns no timer and no connection. `home` and the links belong to the memory layer, `fetch` to the fetching layer; nobody
 * else writes them.
 *
 * There may be a million of them, nearly all at rest, so a field here must earn its eight bytes: what a query needs only
 * while in use stands in an object that exists only then; the key is told from its place in the index, the state put
 * together when it is asked for.
 *
 * Long because: what is put together when asked for is told by a getter each.
 */

import { hashAt, isKeyAt, type KeyPlace, keyAt } from '../keys/key-place.ts'
import type { KeyPart, QueryKey } from '../keys/query-key.ts'
import type { BaseQueryOptions } from './query-options.ts'
import { NO_POLICY, type QueryPolicy } from './query-policy.ts'
import { type Activity, AT_REST, EMPTY, FIRST_FETCH, fetchStarted, type Held } from './query-state.ts'
import { isSameSituation, type Situation, situationOf, UNTOUCHED } from './situation.ts'
import { smallInteger } from './small-integer.ts'

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

/** What a query has only while it is fetching, observed or paused. */
class Live {
  fetch: OngoingFetch | null = null
  observers: Set<QueryWatcher> | null = null
  isPaused = false
  isDoubted = false
}

/** The generations under which data was got. */
export interface Vouchers {
  readonly hard: string
  readonly soft: string
}

/** Dates are told from here: numbers as small as that take no memory of their own. */
const EPOCH = Date.now()

export class Query {
  #data: unknown = undefined
  /** Since `EPOCH`; `null` = never. */
  #updatedAt: number | null = null
  #situation: Situation = UNTOUCHED
  #live: Live | null = null
  #settled: Promise<unknown> | null = null
  readonly #above: KeyPlace | null
  readonly #part: KeyPart
  /** How the last user gets its data: what a refetch without options of its own runs with. */
  queryFn: AnyQueryOptions['queryFn'] | null = null
  policy: QueryPolicy = NO_POLICY
  /** Kept up by the fetching layer where there is an L2 and compared by the fleet's; `null` = not known. */
  vouchers: Vouchers | null = null

  /** Where it rests when it is not in use; `null` = it is not, or no longer, in a cache. */
  home: { readonly gcTime: number } | null = null
  /** In the time of its cache. */
  lastUsed = 0
  /** Counts uses: tells the order where the clock does not. Negative while in use. */
  useOrder = -1
  newer: Query | null = null
  older: Query | null = null

  constructor(above: KeyPlace | null, part: KeyPart) {
    this.#above = above
    this.#part = part
  }

  /** A new array each time, of parts that are the index's own: users get copies (`ownKey`), a date can be changed. */
  get key(): QueryKey {
    return keyAt(this.#above, this.#part)
  }

  /** `false` = perhaps not. */
  isOf(key: QueryKey): boolean {
    return isKeyAt(this.#above, this.#part, key)
  }

  /** Put together each time: L2 asks for it once a fetch or write, errors and fetches that depart do, nobody else. */
  get hash(): string {
    return hashAt(this.#above, this.#part)
  }

  get data(): unknown {
    return this.#data
  }

  get dataUpdatedAt(): number {
    return this.#updatedAt === null ? 0 : EPOCH + this.#updatedAt
  }

  get isInvalidated(): boolean {
    return this.#situation.isInvalidated
  }

  get activity(): Activity {
    return this.#situation.activity
  }

  /** All of its state at this moment. */
  get held(): Held {
    const { source, isInvalidated, activity } = this.#situation
    return { data: this.#data, dataUpdatedAt: this.dataUpdatedAt, source, isInvalidated, activity }
  }

  /** Nothing is held, and nothing has been said of it. */
  get isEmpty(): boolean {
    return this.#data === undefined && this.#situation === UNTOUCHED
  }

  /** The data as a promise: one for all callers for as long as the data stays. */
  get settled(): Promise<unknown> {
    this.#settled ??= Promise.resolve(this.#data)
    return this.#settled
  }

  /** What a refetch runs with; `null` where nobody has said it. */
  get options(): AnyQueryOptions | null {
    const { queryFn, policy } = this
    if (queryFn === null && policy === NO_POLICY) return null
    return { ...policy, queryKey: this.key, queryFn: queryFn ?? undefined }
  }

  get fetch(): OngoingFetch | null {
    return this.#live === null ? null : this.#live.fetch
  }

  set fetch(fetch: OngoingFetch | null) {
    this.#alive().fetch = fetch
    this.#shed()
  }

  get isPaused(): boolean {
    return this.#live?.isPaused === true
  }

  set isPaused(isPaused: boolean) {
    this.#alive().isPaused = isPaused
    this.#shed()
  }

  /** What is observed may have been removed by somebody unheard: it is kept for who looks at it, until it is known. */
  get isDoubted(): boolean {
    return this.#live?.isDoubted === true
  }

  set isDoubted(isDoubted: boolean) {
    if (this.#live !== null) this.#live.isDoubted = isDoubted
  }

  get isCached(): boolean {
    return this.home !== null
  }

  get gcTime(): number {
    return this.home === null ? 0 : this.home.gcTime
  }

  /** Its place among the evictable; `null` while in use. */
  get lane(): { readonly gcTime: number } | null {
    return this.useOrder < 0 ? null : this.home
  }

  get isInUse(): boolean {
    return this.#live !== null && (this.#live.fetch !== null || this.#live.observers !== null)
  }

  get isObserved(): boolean {
    return this.#live !== null && this.#live.observers !== null
  }

  /** Observed by someone who may fetch. */
  get isActive(): boolean {
    if (this.#live === null || this.#live.observers === null) return false
    for (const observer of this.#live.observers) if (observer.isEnabled) return true
    return false
  }

  addObserver(observer: QueryWatcher): void {
    const live = this.#alive()
    live.observers ??= new Set()
    live.observers.add(observer)
  }

  removeObserver(observer: QueryWatcher): void {
    const observers = this.#live?.observers
    if (!observers?.delete(observer) || observers.size > 0) return
    this.#alive().observers = null
    this.#shed()
  }

  update(next: Held): void {
    const { data, dataUpdatedAt } = next
    if (data === this.#data && dataUpdatedAt === this.dataUpdatedAt && isSameSituation(next, this.#situation))
      return
    this.#hold(next)
    this.notify()
  }

  /** `update` to the same, being fetched, unless it is. */
  beginFetch(): void {
    const { source, isInvalidated, activity } = this.#situation
    if (activity.before !== null) return
    if (activity !== AT_REST) {
      this.update(fetchStarted(this.held))
      return
    }
    this.#situation = situationOf({ source, isInvalidated, activity: FIRST_FETCH })
    this.notify()
  }

  /** `update` to the same, invalidated: one invalidation may mean many queries, of which nothing else is looked at. */
  invalidate(): void {
    if (this.#situation.isInvalidated) return
    this.#situation = situationOf({ ...this.#situation, isInvalidated: true })
    this.notify()
  }

  /** Becomes empty, and nobody is told. */
  forget(): void {
    this.#hold(EMPTY)
  }

  notify(): void {
    if (this.#live === null || this.#live.observers === null) return
    // Who comes or goes meanwhile changes nothing for the others.
    for (const observer of [...this.#live.observers]) observer.onQueryUpdate()
  }

  #hold(next: Held): void {
    if (next.data !== this.#data) this.#settled = null
    if (next.data !== this.#data || next.dataUpdatedAt !== this.dataUpdatedAt) this.isDoubted = false
    this.#data = next.data
    this.#updatedAt = next.dataUpdatedAt === 0 ? null : smallInteger(next.dataUpdatedAt - EPOCH)
    this.#situation = situationOf(next)
  }

  #alive(): Live {
    this.#live ??= new Live()
    return this.#live
  }

  /** At rest there is nothing to hold on to. */
  #shed(): void {
    const live = this.#live
    if (live !== null && live.fetch === null && live.observers === null && !live.isPaused) this.#live = null
  }
}
