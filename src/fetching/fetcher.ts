/**
 * The way into a query's data for every kind of user: decides from L1 whether to serve, to join or to fetch.
 * Holds no state of its own; the queries and their fetches do.
 */

import type { QueryKey } from '../keys/query-key.ts'
import type { AnyQueryOptions, Query } from '../query/query.ts'
import { isSamePolicy, NO_POLICY, policyOf, type QueryPolicy } from '../query/query-policy.ts'
import { dataReceived } from '../query/query-state.ts'
import type { DepartingFetch, FetchEnvironment } from './environment.ts'
import { Fetch, type FetchStart } from './fetch.ts'
import { planCall, planStored } from './plan.ts'

const FOR_A_CALLER: FetchStart = { isBackground: false, skipStorage: false }

export class Fetcher {
  readonly #env: FetchEnvironment
  /** Shared by all that are fetched alike. */
  #lastPolicy = NO_POLICY

  constructor(env: FetchEnvironment) {
    this.#env = env
  }

  /** The query of these options, made and seeded with their initial data where L1 has none; `known` = what L1 has. */
  obtain(options: AnyQueryOptions, known?: Query): Query {
    const { cache, defaults } = this.#env
    const { gcTime = defaults.gcTime } = options
    if (known !== undefined) cache.prolong(known, gcTime)
    const query = known ?? cache.obtain(options.queryKey, gcTime)
    // A user without a queryFn only looks; it must not take from the others how the data is got.
    if (options.queryFn !== undefined || query.queryFn === null) {
      query.queryFn = options.queryFn ?? null
      this.#lastPolicy = policyOf(options, this.#lastPolicy)
      query.policy = this.#lastPolicy
    }
    if (options.initialData !== undefined) this.#seed(query, options)
    return query
  }

  /** Puts the initial data that its user has named into a query without data. */
  seed(query: Query): void {
    this.#seed(query, query.policy)
  }

  /** What `fetchQuery` does where the fast path could not answer; `known` = the query of these options, if L1 has it. */
  fetch(options: AnyQueryOptions, known: Query | undefined): Promise<unknown> {
    const { clock, cache, counters, defaults, tier } = this.#env
    const { staleTime = defaults.staleTime, whenStale = 'serve', signal } = options
    if (signal?.aborted === true) return Promise.reject(signal.reason)
    // Where L2 may tell at once, the moment of all that it tells.
    const looksAt = tier?.hasSnapshots === true ? clock.now() : undefined
    const query = this.obtain(options, known ?? this.#make(options, looksAt))
    if (query.data === undefined) {
      counters.memoryMisses++
      if (looksAt !== undefined) {
        // Initial data may be a function of the user's that has taken its time.
        const now = options.initialData === undefined ? looksAt : clock.now()
        if (this.#takeStored(query, options, staleTime, now)) return query.settled
      }
      return this.#wait(query, options, whenStale, signal)
    }
    const now = clock.now()
    const plan = planCall(query, staleTime, whenStale, now)
    if (plan === 'wait') return this.#wait(query, options, whenStale, signal)
    cache.touch(query, now)
    if (plan === 'serve') {
      counters.memoryHits++
    } else {
      counters.staleServes++
      this.refresh(query, options)
    }
    return query.settled
  }

  /**
   * Joins what runs for a query without data, for a caller whose options are those of the last one: they have been checked,
   * and there is nothing to decide. `null` = it is another case.
   */
  joinAlike(query: Query, options: AnyQueryOptions): Promise<unknown> | null {
    const { fetch } = query
    const { queryFn } = options
    if (fetch === null || typeof queryFn !== 'function') return null
    if (options.whenStale === 'wait' || !isSamePolicy(options, query.policy)) return null
    const { counters } = this.#env
    counters.memoryMisses++
    counters.joins++
    query.queryFn = queryFn
    return fetch.join(undefined)
  }

  /** Starts a fetch that nobody waits for, unless one runs or the query is paused. */
  refresh(query: Query, options: AnyQueryOptions): void {
    if (query.fetch !== null || query.isPaused) return
    new Fetch(this.#env, query, options, { isBackground: true, skipStorage: false })
  }

  /** Asks the origin whatever the caches hold; a fetch that already runs is joined. Settles with the fetch. */
  refetch(query: Query, options: AnyQueryOptions): Promise<unknown> {
    const running = query.fetch as Fetch | null
    if (running === null)
      return new Fetch(this.#env, query, options, { isBackground: true, skipStorage: true }).promise
    // It may still be asking L2.
    running.insist()
    return running.promise.then((data) => running.successor?.promise ?? data)
  }

  /** Ends what runs for a query, overtaken fetches included; the next one waits for none of them. */
  cancel(query: Query, reason: Error): void {
    query.fetch?.cancel(reason)
    this.#departing(query)?.cancel(reason)
    if (this.#env.departing.size > 0) this.#env.departing.delete(query.hash)
  }

  /** A removal: nothing that runs for a query may be stored any more. */
  discard(query: Query): void {
    query.fetch?.overtake('hard')
    this.#departing(query)?.condemn()
  }

  /** The query is no longer paused. */
  wake(query: Query): void {
    query.fetch?.wake()
    this.#departing(query)?.wake()
  }

  /** Ends all overtaken fetches, those of forgotten queries included. */
  cancelDeparting(reason: Error): void {
    for (const fetch of this.#env.departing.values()) fetch.cancel(reason)
  }

  /** Reads L2 into L1 where L1 has nothing newer. Resolves to what L1 holds then, or `undefined`. */
  async hydrate(key: QueryKey): Promise<unknown> {
    const { tier, fleet, cache, clock, defaults, storageTimeout } = this.#env
    const held = cache.get(key)?.data
    if (tier === null || held !== undefined) return held
    const since = clock.monotonic?.() ?? clock.now()
    // What is read before the feed is followed would not be watched over.
    if (fleet?.isReady === false) await fleet.ready(storageTimeout)
    const limit = Math.max(0, since + storageTimeout - (clock.monotonic?.() ?? clock.now()))
    const query = cache.obtain(key, defaults.gcTime)
    const wasInvalidated = query.isInvalidated
    const stored = await tier.read(query, limit)
    if (stored === null) {
      // A look must not leave an empty entry behind.
      if (query.isEmpty && !query.isInUse && !query.isPaused) cache.remove(query)
      return query.data
    }
    // Evicted meanwhile, it is still an answer; removed, it is one for who asked before.
    const isRemoved = tier.capture(query)?.hard !== stored.generations.hard
    if (!query.isCached || isRemoved) return cache.get(key)?.data ?? stored.data
    const isInvalidated = stored.isInvalidated || (query.isInvalidated && !wasInvalidated)
    if (query.data === undefined || query.dataUpdatedAt < stored.dataUpdatedAt) {
      query.vouchers = stored.generations
      query.update(dataReceived(query, stored.data, 'storage', stored.dataUpdatedAt, isInvalidated))
    }
    return query.data
  }

  /** A query for options whose key L1 does not know. `looksAt`: something may answer at once. */
  #make(options: AnyQueryOptions, looksAt: number | undefined): Query {
    const { cache, defaults } = this.#env
    const { queryKey, gcTime = defaults.gcTime, initialData } = options
    // Where nothing can answer at once, a fetch is certain.
    return initialData === undefined && looksAt === undefined
      ? cache.admit(queryKey, gcTime)
      : cache.add(queryKey, gcTime, looksAt)
  }

  /** Takes what L2 has and tells at once, if there is nothing else to do. */
  #takeStored(query: Query, options: AnyQueryOptions, staleTime: number, now: number): boolean {
    const { tier, fleet } = this.#env
    if (tier === null || fleet?.isReady === false || query.fetch !== null) return false
    if (options.storage === false || options.validate !== undefined) return false
    const stored = tier.readNow(query, now)
    if (stored === undefined) return false
    if (planStored(query, stored, staleTime, now) !== 'settle') return false
    tier.countHit()
    query.vouchers = stored.generations
    query.update(dataReceived(query, stored.data, 'storage', stored.dataUpdatedAt, false))
    return true
  }

  #wait(
    query: Query,
    options: AnyQueryOptions,
    whenStale: 'serve' | 'wait',
    signal: AbortSignal | undefined,
  ): Promise<unknown> {
    if (query.fetch !== null) this.#env.counters.joins++
    const fetch = (query.fetch ?? new Fetch(this.#env, query, options, FOR_A_CALLER)) as Fetch
    return whenStale === 'serve' ? fetch.join(signal) : joinLast(fetch, signal)
  }

  #departing(query: Query): DepartingFetch | undefined {
    const { departing } = this.#env
    return departing.size === 0 ? undefined : departing.get(query.hash)
  }

  #seed(query: Query, options: QueryPolicy): void {
    const { initialData, initialDataUpdatedAt } = options
    const { clock, logger } = this.#env
    if (query.data !== undefined) return
    let data: unknown = initialData
    if (typeof initialData === 'function') {
      logger.call('initialData', () => {
        data = undefined
        data = (initialData as () => unknown)()
      })
    }
    if (data === undefined) return
    query.update(dataReceived(query, data, 'initial', initialDataUpdatedAt ?? clock.now(), false))
  }
}

/** What follows stale data may find stale data again: another worker's, newer but overtaken as well. */
function joinLast(fetch: Fetch, signal: AbortSignal | undefined): Promise<unknown> {
  return fetch
    .join(signal)
    .then((data) => (fetch.successor === null ? data : joinLast(fetch.successor, signal)))
}
