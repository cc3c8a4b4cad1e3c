/**
 * One key's entry in L1.
 *
 * Invariants: the state changes only through `update` and `invalidate`, which tell the observers, and `forget`; `fetch` is
 * the fetch that new callers join, so an overtaken one is never here. At rest (no fetch, no observer) it may be evicted.
 * Owns no timer and no connection. `stay`, `lastUsed` and the links belong to the memory layer, `fetch` to the fetching
 * layer; nobody else writes them.
 *
 * There may be a million of them, nearly all at rest, so a field here must earn its eight bytes, and there are no more than
 * twelve: JavaScriptCore gives an object with one more 48 bytes more. What a query needs only while in use stands in an
 * object that it then has of its own (`situation.ts`); the key is told from its place in the index, the state put together
 * when it is asked for; what needs an L2 is kept where there is one (`vouched-query.ts`).
 *
 * Long because: what is put together when asked for is told by a getter each.
 */

import { hashAt, isKeyAt, type KeyPlace, keyAt } from '../keys/key-place.ts'
import type { KeyPart, QueryKey } from '../keys/query-key.ts'
import type { BaseQueryOptions } from './query-options.ts'
import { NO_POLICY, type QueryPolicy } from './query-policy.ts'
import {
  type Activity,
  AT_REST,
  type DataSource,
  EMPTY,
  FIRST_FETCH,
  fetchStarted,
  type Held,
} from './query-state.ts'
import type { OngoingFetch, QueryWatcher } from './query-use.ts'
import { Situation, situationOf, UNTOUCHED } from './situation.ts'
import { smallInteger } from './small-integer.ts'

export type AnyQueryOptions = BaseQueryOptions<unknown, never>

/** The generations under which data was got. */
export interface Vouchers {
  readonly hard: string
  readonly soft: string
}

/** How a query stays in its cache; many share one. */
export interface CacheStay {
  /** Where it rests when it is not in use. */
  readonly lane: { readonly gcTime: number }
  /** Of later uses it is higher, in whatever lane; negative while in use. */
  readonly turn: number
}

/** Dates are told from here: numbers as small as that take no memory of their own. */
const EPOCH = Date.now()

export class Query {
  #data: unknown = undefined
  /** Since `EPOCH`; `null` = never. */
  #updatedAt: number | null = null
  #situation: Situation = UNTOUCHED
  #settled: Promise<unknown> | null = null
  readonly #above: KeyPlace | null
  readonly #part: KeyPart
  /** How the last user gets its data: what a refetch without options of its own runs with. */
  queryFn: AnyQueryOptions['queryFn'] | null = null
  policy: QueryPolicy = NO_POLICY
  /** `null` = it is not, or no longer, in a cache. */
  stay: CacheStay | null = null
  /** In the time of its cache. */
  lastUsed = 0
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

  /** Kept up by the fetching layer and compared by the fleet's; `null` = not known, or there is no L2. */
  get vouchers(): Vouchers | null {
    return null
  }

  set vouchers(_: Vouchers | null) {}

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
    const { source, isInvalidated, activity } = this.#situation
    return this.#data === undefined && source === null && !isInvalidated && activity === AT_REST
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
    return this.#situation.fetch
  }

  set fetch(fetch: OngoingFetch | null) {
    if (fetch !== null) {
      this.#own().fetch = fetch
    } else if (this.#situation.fetch !== null) {
      this.#situation.fetch = null
      this.#shed()
    }
  }

  get isPaused(): boolean {
    return this.#situation.isPaused
  }

  set isPaused(isPaused: boolean) {
    this.#own().isPaused = isPaused
    this.#shed()
  }

  /** What is observed may have been removed by somebody unheard: it is kept for who looks at it, until it is known. */
  get isDoubted(): boolean {
    return this.#situation.isDoubted
  }

  set isDoubted(isDoubted: boolean) {
    if (this.#situation.isOwn) this.#situation.isDoubted = isDoubted
  }

  get isCached(): boolean {
    return this.stay !== null
  }

  get gcTime(): number {
    return this.stay === null ? 0 : this.stay.lane.gcTime
  }

  /** Its place among the evictable; `null` while in use. */
  get lane(): CacheStay['lane'] | null {
    return this.stay === null || this.stay.turn < 0 ? null : this.stay.lane
  }

  /** Of its last use; negative while in use. */
  get turn(): number {
    return this.stay === null ? -1 : this.stay.turn
  }

  get isInUse(): boolean {
    return this.#situation.fetch !== null || this.#situation.observers !== null
  }

  get isObserved(): boolean {
    return this.#situation.observers !== null
  }

  /** Observed by someone who may fetch. */
  get isActive(): boolean {
    const { observers } = this.#situation
    if (observers === null) return false
    for (const observer of observers) if (observer.isEnabled) return true
    return false
  }

  addObserver(observer: QueryWatcher): void {
    const situation = this.#own()
    situation.observers ??= new Set()
    situation.observers.add(observer)
  }

  removeObserver(observer: QueryWatcher): void {
    const { observers } = this.#situation
    if (!observers?.delete(observer) || observers.size > 0) return
    this.#situation.observers = null
    this.#shed()
  }

  update(next: Held): void {
    const { data, dataUpdatedAt } = next
    if (data === this.#data && dataUpdatedAt === this.dataUpdatedAt && this.#situation.says(next)) return
    this.#hold(next)
    this.notify()
  }

  /** `update` to the same, being fetched, unless it is. */
  beginFetch(): void {
    const { activity } = this.#situation
    if (activity.before !== null) return
    if (activity !== AT_REST) {
      this.update(fetchStarted(this.held))
      return
    }
    this.#own().activity = FIRST_FETCH
    this.notify()
  }

  /** `update` to the same, invalidated: one invalidation may mean many queries, of which nothing else is looked at. */
  invalidate(): void {
    const { source, isInvalidated, activity } = this.#situation
    if (isInvalidated) return
    this.#say(source, true, activity)
    this.notify()
  }

  /** Becomes empty, and nobody is told. */
  forget(): void {
    this.#hold(EMPTY)
  }

  notify(): void {
    const { observers } = this.#situation
    if (observers === null) return
    // Who comes or goes meanwhile changes nothing for the others.
    for (const observer of [...observers]) observer.onQueryUpdate()
  }

  #hold(next: Held): void {
    if (next.data !== this.#data) this.#settled = null
    if (next.data !== this.#data || next.dataUpdatedAt !== this.dataUpdatedAt) this.isDoubted = false
    this.#data = next.data
    this.#updatedAt = next.dataUpdatedAt === 0 ? null : smallInteger(next.dataUpdatedAt - EPOCH)
    this.#say(next.source, next.isInvalidated, next.activity)
  }

  #say(source: DataSource | null, isInvalidated: boolean, activity: Activity): void {
    const situation = this.#situation
    if (!situation.isOwn) {
      this.#situation = situationOf(source, isInvalidated, activity)
      return
    }
    situation.source = source
    situation.isInvalidated = isInvalidated
    situation.activity = activity
  }

  /** Its situation as one that may be changed. */
  #own(): Situation {
    const situation = this.#situation
    if (situation.isOwn) return situation
    const { source, isInvalidated, activity } = situation
    this.#situation = new Situation(source, isInvalidated, activity)
    return this.#situation
  }

  /** At rest there is nothing to hold on to. */
  #shed(): void {
    const { isOwn, source, isInvalidated, activity } = this.#situation
    if (!isOwn) this.#situation = situationOf(source, isInvalidated, activity)
  }
}
