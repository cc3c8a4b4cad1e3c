/**
 * Keeps L1 true to what peers do.
 *
 * An invalidation is applied to L1 as if it had been made here, except that L2 knows of it already. An update marks
 * what L1 holds as superseded: it is read again from L2, not from the origin, when next used, or soon where it is
 * observed. Updates are gathered for a moment, so that a key that is written often and held by many is read once per
 * moment and worker. After a gap nothing in L1 is believed: what nobody observes is forgotten, which costs reads of L2;
 * what is observed is doubted: it stays, marked, as long as somebody looks at it, until L2 has been asked, soon and again
 * while it does not answer, whether it is gone, or until there is newer data.
 * The same holds where nothing has been heard for so long that the feed must be cut off.
 *
 * Owns three alarms: the moment of the gathered updates, that of the refreshes that are due soon, and that at which L2 is
 * asked again.
 */

import type { QueryCache } from '../memory/query-cache.ts'
import type { Query } from '../query/query.ts'
import { fetchCancelled, invalidated } from '../query/query-state.ts'
import { backoff } from '../resilience/backoff.ts'
import type { Alarm, TimerQueue } from '../resilience/timer-queue.ts'
import type { StorageTier } from '../tier/storage-tier.ts'
import type { CanonicalKey, FleetMessage } from './fleet-message.ts'
import type { SingleFlight } from './single-flight.ts'

/** Milliseconds over which the workers of a fleet spread what a message makes them do. */
const JITTER = 400
const GATHERING = 100
const SLOWEST_ASKING = 5_000

export interface CoherenceSettings {
  readonly cache: QueryCache
  readonly tier: StorageTier
  readonly timers: TimerQueue
  readonly random: () => number
  readonly singleFlight: SingleFlight | null
  /** Reads a query again, through L2, behind. */
  readonly refresh: (query: Query) => void
  /** Removes a query from L1, or empties it under its observers. */
  readonly drop: (query: Query) => void
  /** Nothing that runs for a query may be stored any more. */
  readonly discard: (query: Query) => void
}

export class Coherence {
  readonly #settings: CoherenceSettings
  readonly #superseded = new Map<Query, number>()
  readonly #due = new Set<Query>()
  /** What L2 could not be asked about. */
  readonly #unanswered = new Set<Query>()
  #attempts = 0
  #doubts = 0
  #gathering: Alarm | null = null
  #refreshing: Alarm | null = null
  #asking: Alarm | null = null

  constructor(settings: CoherenceSettings) {
    this.#settings = settings
  }

  apply(message: FleetMessage): void {
    const { cache, singleFlight } = this.#settings
    if (message.type === 'invalidated') {
      for (const key of message.keys) this.#invalidate(key, message.isExact, message.kind)
      return
    }
    if (message.type === 'lost') {
      this.forgetAll()
      return
    }
    singleFlight?.wake(hashOf(message.key))
    const query = cache.canonical(message.key)
    if (query === undefined || query.dataUpdatedAt >= message.dataUpdatedAt) return
    this.#superseded.set(query, message.dataUpdatedAt)
    const { timers, random } = this.#settings
    this.#gathering ??= timers.after(GATHERING + JITTER * random(), () => this.#supersede())
  }

  /** Messages may have been missed. */
  forgetAll(): void {
    const { cache, tier } = this.#settings
    tier.forgetGenerations()
    for (const query of cache.under([])) this.forget(query)
  }

  /** What L1 holds of a query may have been removed by somebody. */
  forget(query: Query): void {
    this.#drop(query, 'gap')
  }

  /**
   * Compares what L1 holds with the generations that L2 has now: something may have been invalidated unheard. Where L2
   * has lost them it can be asked no more, and what they vouched for is gone as well. Returns whether L2 has answered.
   */
  async verify(queries: readonly Query[]): Promise<boolean> {
    const held = queries.map(({ vouchers }) => vouchers)
    const doubts = this.#doubts
    const current = await this.#settings.tier.readGenerations(queries)
    if (current === null) return false
    for (const [i, query] of queries.entries()) {
      const { vouchers } = query
      // What waits to be written is captured under what is there by then, and what has come meanwhile was watched over.
      if (vouchers === null || vouchers !== held[i] || !query.isCached || query.data === undefined) continue
      const now = current[i] ?? null
      // An answer says nothing of what was missed since it was asked for.
      if (doubts === this.#doubts) query.isDoubted = false
      if (now?.hard !== vouchers.hard) this.invalidated(query, 'hard')
      else if (now.soft !== vouchers.soft) this.invalidated(query, 'soft')
    }
    return true
  }

  /** Where L2 cannot be asked now, what it holds is forgotten; what it does not yet hold is still to be vouched for. */
  async verifyOrForget(queries: readonly Query[]): Promise<void> {
    if (await this.verify(queries)) return
    for (const query of queries) if (query.vouchers !== null && query.isCached) this.forget(query)
  }

  /**
   * Nothing has been heard for too long. What L2 can be asked for is believed no more; while L2 is away as well, L1 is the
   * best that there is, but nothing of it is fresh: it is served while the origin is asked, and delays nobody.
   */
  doubtAll(): void {
    const { cache, tier } = this.#settings
    if (!tier.isAway) this.forgetAll()
    else for (const query of cache.under([])) this.#markStale(query)
  }

  #invalidate(key: CanonicalKey, isExact: boolean, kind: 'hard' | 'soft'): void {
    const { cache, tier } = this.#settings
    tier.forgetGenerations(key, isExact)
    const exactly = isExact ? cache.canonical(key) : undefined
    const found = isExact ? (exactly === undefined ? [] : [exactly]) : cache.underCanonical(key)
    for (const query of found) this.invalidated(query, kind)
  }

  /** Somebody else has invalidated what L1 holds of a query. */
  invalidated(query: Query, kind: 'hard' | 'soft'): void {
    if (kind === 'hard') {
      this.#drop(query, 'removed')
      return
    }
    this.#markStale(query)
    this.#refreshSoon(query)
  }

  #markStale(query: Query): void {
    if (query.fetch?.overtake('soft') === true) {
      query.update(invalidated(fetchCancelled(query.held)))
      this.#settings.cache.settleDown(query)
    } else {
      query.invalidate()
    }
  }

  #drop(query: Query, why: 'removed' | 'gap'): void {
    const { drop, discard } = this.#settings
    if (why === 'removed' || !query.isActive) {
      drop(query)
    } else {
      // What is observed stays on the screen over a gap, which is no news of it.
      const hasFetch = query.fetch !== null
      discard(query)
      query.update(invalidated(hasFetch ? fetchCancelled(query.held) : query.held))
      query.isDoubted = query.data !== undefined
      this.#doubts++
    }
    this.#refreshSoon(query)
  }

  #supersede(): void {
    this.#gathering = null
    for (const [query, dataUpdatedAt] of this.#superseded) {
      if (!query.isCached || query.dataUpdatedAt >= dataUpdatedAt) continue
      query.invalidate()
      this.#refreshSoon(query)
    }
    this.#superseded.clear()
  }

  #refreshSoon(query: Query): void {
    if (!query.isActive) return
    const { timers, random } = this.#settings
    this.#due.add(query)
    this.#refreshing ??= timers.after(JITTER * random(), () => {
      this.#refreshing = null
      const due = [...this.#due]
      this.#due.clear()
      const doubted = due.filter((query) => query.isDoubted)
      for (const query of due) if (!query.isDoubted && query.isActive) this.#settings.refresh(query)
      if (doubted.length > 0) void this.#dispel(doubted)
    })
  }

  /** First whether they are gone: the refresh may have to wait for the origin, or for a lease whose holder has died. */
  async #dispel(doubted: readonly Query[], isAgain = false): Promise<void> {
    const { refresh, drop } = this.#settings
    const isAnswered = await this.verify(doubted)
    for (const query of doubted) {
      if (!query.isActive && query.isDoubted) {
        // Who still looks at it does not have it read.
        drop(query)
        continue
      }
      if (query.isDoubted && !isAnswered) this.#askAgain(query)
      if (isAgain || !query.isActive) continue
      // What has just been found gone is read again now, not once more soon.
      if (!query.isDoubted) this.#due.delete(query)
      refresh(query)
    }
    if (isAnswered) this.#attempts = 0
  }

  #askAgain(query: Query): void {
    const { timers, random } = this.#settings
    this.#unanswered.add(query)
    this.#asking ??= timers.after(backoff(this.#attempts++, JITTER, SLOWEST_ASKING, random), () => {
      this.#asking = null
      const doubted = [...this.#unanswered].filter(({ isDoubted }) => isDoubted)
      this.#unanswered.clear()
      if (doubted.length > 0) void this.#dispel(doubted, true)
    })
  }
}

function hashOf(key: CanonicalKey): string {
  return `[${key.join(',')}]`
}
