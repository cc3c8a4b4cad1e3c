/**
 * L1: every query of a client, found by key or by prefix, and evicted when unused or too many.
 *
 * A query in the cache is in use (fetching or observed; it has no lane and is never evicted) or at rest (in the
 * lane of its `gcTime`). `settleDown` moves it from the first to the second, `use` back; `touch` renews its rest.
 * At most `maxSize` queries stay while there is anything at rest to evict. One alarm, owned here, waits for the
 * first lane's oldest; uses do not move it, it looks again when it rings. Owns what tells of the stay of a query (`stay`,
 * `lastUsed`).
 */

import type { KeyPlace } from '../keys/key-place.ts'
import { PrefixIndex } from '../keys/prefix-index.ts'
import type { KeyPart, QueryKey } from '../keys/query-key.ts'
import type { Clock } from '../ports/clock.ts'
import { Query } from '../query/query.ts'
import { EMPTY } from '../query/query-state.ts'
import { smallInteger } from '../query/small-integer.ts'
import { VouchedQuery } from '../query/vouched-query.ts'
import type { Alarm, TimerQueue } from '../resilience/timer-queue.ts'
import { Lane, Stay } from './lane.ts'

export class QueryCache {
  readonly #index = new PrefixIndex<Query>()
  readonly #lanes = new Map<number, Lane>()
  readonly #maxSize: number
  readonly #clock: Clock
  readonly #timers: TimerQueue
  readonly #make: (above: KeyPlace | null, part: KeyPart) => Query
  /** Uses are told from here: numbers as small as that take no memory of their own. */
  readonly #bornAt: number
  /** Found last: those who ask for one key often come together. */
  #last: Query | null = null
  #alarm: Alarm | null = null
  #alarmDue = Number.POSITIVE_INFINITY
  #evictions = 0
  /** Of the last use, in a lane that may be empty, as no other may; at first in one that nobody can ask for. */
  #stay = new Lane(-1).away
  #turns = 0

  /** `isVouched`: there is an L2, and what it vouches for is kept with each query. */
  constructor(maxSize: number, clock: Clock, timers: TimerQueue, isVouched = false) {
    this.#maxSize = maxSize
    this.#clock = clock
    this.#timers = timers
    this.#make = isVouched ? makeVouched : makeQuery
    this.#bornAt = clock.now()
  }

  get size(): number {
    return this.#index.size
  }

  /** Queries that left because of their age or number. */
  get evictions(): number {
    return this.#evictions
  }

  get(key: QueryKey): Query | undefined {
    const last = this.#last
    return last?.isOf(key) === true ? last : this.#find(key)
  }

  under(prefix: QueryKey): Query[] {
    return this.#index.under(prefix)
  }

  /** `get`, of a key that came as the canonical strings of its parts. */
  canonical(parts: readonly string[]): Query | undefined {
    return this.#index.getCanonical(parts)
  }

  /** `under`, of a prefix that came as the canonical strings of its parts. */
  underCanonical(parts: readonly string[]): Query[] {
    return this.#index.underCanonical(parts)
  }

  /** The query of `key`, made where there is none; its `gcTime` is the longest that anyone has asked for. */
  obtain(key: QueryKey, gcTime: number): Query {
    const found = this.#index.get(key)
    if (found === undefined) return this.add(key, gcTime)
    this.prolong(found, gcTime)
    return found
  }

  /** `obtain`, of a key that is not here. `now`: by the clock, where it is known. */
  add(key: QueryKey, gcTime: number, now?: number): Query {
    const query = this.#index.add(key, this.#make)
    this.#rest(query, gcTime, now)
    this.#shrink(query)
    return query
  }

  /** `add`, for who uses it at once and will call `settleDown`: it need not rest before. */
  admit(key: QueryKey, gcTime: number): Query {
    const query = this.#index.add(key, this.#make)
    query.stay = this.#away(gcTime)
    this.#shrink(query)
    return query
  }

  /** The longest `gcTime` that anyone has asked for counts. */
  prolong(query: Query, gcTime: number): void {
    if (gcTime <= query.gcTime) return
    if (query.lane === null) {
      query.stay = this.#away(gcTime)
      return
    }
    this.use(query)
    this.#rest(query, gcTime)
  }

  /** A use of a query at rest renews its rest. */
  touch(query: Query, now: number): void {
    if (query.stay !== this.#stay) {
      if (query.lane === null) return
      query.stay = this.#turnOf(query.lane as Lane)
    }
    query.lastUsed = this.#ageAt(now)
    if (query.newer === null) return
    const { lane } = this.#stay
    lane.remove(query)
    lane.add(query)
  }

  /** The query is fetching or observed from now on. */
  use(query: Query): void {
    if (query.lane === null) return
    const lane = query.lane as Lane
    lane.remove(query)
    query.stay = lane.away
    if (lane !== this.#stay.lane) this.#leave(lane)
  }

  /** To be called when a fetch has ended or an observer has left. `now`: by the clock, where it is known. */
  settleDown(query: Query, now?: number): void {
    if (!query.isCached || query.isInUse || query.lane !== null) return
    this.#rest(query, query.gcTime, now)
    this.#shrink(null)
  }

  remove(query: Query): void {
    if (!query.isCached) return
    this.use(query)
    query.stay = null
    // What was removed is held on to by nobody.
    if (query === this.#last) this.#last = null
    this.#index.delete(query.key)
  }

  #find(key: QueryKey): Query | undefined {
    const found = this.#index.get(key)
    if (found !== undefined) this.#last = found
    return found
  }

  /** What a query in use says of its stay. */
  #away(gcTime: number): Stay {
    return (this.#lanes.get(gcTime) ?? new Lane(gcTime)).away
  }

  /** What is used now in this lane says of its stay: uses that follow one another in one lane are of one turn. */
  #turnOf(lane: Lane): Stay {
    const last = this.#stay.lane
    if (lane !== last) {
      this.#stay = new Stay(lane, ++this.#turns)
      this.#leave(last)
    }
    return this.#stay
  }

  #leave(lane: Lane): void {
    if (lane.oldest === null) this.#lanes.delete(lane.gcTime)
  }

  #ageAt(now: number): number {
    return smallInteger(now - this.#bornAt)
  }

  #rest(query: Query, gcTime: number, now = this.#clock.now()): void {
    let lane = this.#lanes.get(gcTime)
    if (lane === undefined) {
      lane = new Lane(gcTime)
      this.#lanes.set(gcTime, lane)
    }
    lane.add(query)
    query.stay = this.#turnOf(lane)
    query.lastUsed = this.#ageAt(now)
    this.#expectAt(now + gcTime, now)
  }

  /** Evicts the least recently used at rest until the size is right; `spared` has just come. */
  #shrink(spared: Query | null): void {
    while (this.#index.size > this.#maxSize) {
      let candidate: Query | null = null
      for (const lane of this.#lanes.values()) {
        const oldest = lane.oldest === spared ? (spared?.newer ?? null) : lane.oldest
        if (oldest !== null && (candidate === null || oldest.turn < candidate.turn)) candidate = oldest
      }
      if (candidate === null) return
      this.#evict(candidate)
    }
  }

  #evict(query: Query): void {
    this.#evictions++
    this.remove(query)
    // Reusable options may still refer to it; they must not hold its data.
    query.update(EMPTY)
  }

  #expectAt(due: number, now: number): void {
    if (due >= this.#alarmDue) return
    if (this.#alarm !== null) this.#timers.cancel(this.#alarm)
    this.#alarmDue = due
    this.#alarm = this.#timers.after(due - now, this.#expire)
  }

  #expire = (): void => {
    this.#alarm = null
    this.#alarmDue = Number.POSITIVE_INFINITY
    const now = this.#clock.now()
    let next = Number.POSITIVE_INFINITY
    for (const lane of [...this.#lanes.values()]) {
      for (let oldest = lane.oldest; oldest !== null; oldest = lane.oldest) {
        const due = this.#bornAt + oldest.lastUsed + lane.gcTime
        if (due > now) {
          next = Math.min(next, due)
          break
        }
        this.#evict(oldest)
      }
    }
    if (next < Number.POSITIVE_INFINITY) this.#expectAt(next, now)
  }
}

function makeQuery(above: KeyPlace | null, part: KeyPart): Query {
  return new Query(above, part)
}

function makeVouched(above: KeyPlace | null, part: KeyPart): Query {
  return new VouchedQuery(above, part)
}
