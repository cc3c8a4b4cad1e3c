/**
 * The way into a query's data for every kind of user: decides from L1 whether to serve, to join or to fetch.
 * Holds no state of its own; the queries and their fetches do.
 */

import type { QueryKey } from '../keys/query-key.ts'
import type { AnyQueryOptions, Query } from '../query/query.ts'
import { dataReceived } from '../query/query-state.ts'
import type { FetchEnvironment } from './environment.ts'
import { Fetch } from './fetch.ts'
import { planCall } from './plan.ts'

export class Fetcher {
  readonly #env: FetchEnvironment

  constructor(env: FetchEnvironment) {
    this.#env = env
  }

  /** The query of these options, made and seeded with their initial data where L1 has none. */
  obtain(options: AnyQueryOptions): Query {
    const { cache, defaults } = this.#env
    const query = cache.obtain(options.queryKey, options.gcTime ?? defaults.gcTime)
    // A user without a queryFn only looks; it must not take from the others how the data is got.
    if (options.queryFn !== undefined || query.options === null) query.options = options
    if (options.initialData !== undefined && query.held.data === undefined) this.#seed(query, options)
    return query
  }

  /** What `fetchQuery` does where the fast path could not answer. */
  fetch(options: AnyQueryOptions): Promise<unknown> {
    const { clock, cache, counters, defaults } = this.#env
    const { staleTime = defaults.staleTime, whenStale = 'serve', signal } = options
    if (signal?.aborted === true) return Promise.reject(signal.reason)
    const query = this.obtain(options)
    const now = clock.now()
    const plan = planCall(query.held, staleTime, whenStale, now)
    if (plan === 'wait') {
      if (query.held.data === undefined) counters.memoryMisses++
      return this.#wait(query, options, whenStale, signal)
    }
    cache.touch(query, now)
    if (plan === 'serve') {
      counters.memoryHits++
    } else {
      counters.staleServes++
      this.refresh(query, options)
    }
    return query.settled
  }

  /** Starts a fetch that nobody waits for, unless one runs or the query is paused. */
  refresh(query: Query, options: AnyQueryOptions): void {
    if (query.fetch !== null || query.isPaused) return
    new Fetch(this.#env, query, options, { isBackground: true, skipStorage: false })
  }

  /** Asks the origin whatever the caches hold; a fetch that already runs is joined. Settles with the fetch. */
  refetch(query: Query, options: AnyQueryOptions): Promise<unknown> {
    const fetch =
      query.fetch ?? new Fetch(this.#env, query, options, { isBackground: true, skipStorage: true })
    return fetch.promise
  }

  /** Reads L2 into L1 where L1 has nothing newer. Resolves to what L1 holds then, or `undefined`. */
  async hydrate(key: QueryKey): Promise<unknown> {
    const { tier, cache, defaults } = this.#env
    const held = cache.get(key)?.held
    if (tier === null || held?.data !== undefined) return held?.data
    const query = cache.obtain(key, defaults.gcTime)
    const { removals, invalidations } = query
    const stored = await tier.read(query)
    if (stored === null || !query.isCached || query.removals !== removals) return query.held.data
    const isInvalidated = stored.isInvalidated || query.invalidations !== invalidations
    if (query.held.data === undefined || query.held.dataUpdatedAt < stored.dataUpdatedAt) {
      query.update(dataReceived(query.held, stored.data, 'storage', stored.dataUpdatedAt, isInvalidated))
    }
    return query.held.data
  }

  #wait(
    query: Query,
    options: AnyQueryOptions,
    whenStale: 'serve' | 'wait',
    signal: AbortSignal | undefined,
  ): Promise<unknown> {
    if (query.fetch !== null) this.#env.counters.joins++
    const fetch = (query.fetch ??
      new Fetch(this.#env, query, options, { isBackground: false, skipStorage: false })) as Fetch
    const data = fetch.join(signal)
    if (whenStale === 'serve') return data
    return data.then((current) => fetch.successor?.join(signal) ?? current)
  }

  #seed(query: Query, options: AnyQueryOptions): void {
    const { initialData, initialDataUpdatedAt } = options
    const { clock, logger } = this.#env
    let data: unknown = initialData
    if (typeof initialData === 'function') {
      logger.call('initialData', () => {
        data = undefined
        data = (initialData as () => unknown)()
      })
    }
    if (data === undefined) return
    query.update(dataReceived(query.held, data, 'initial', initialDataUpdatedAt ?? clock.now(), false))
  }
}
