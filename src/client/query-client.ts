/**
 * The client: wires the parts together and gives them their public names. No policy lives here.
 *
 * Owns the one timer of the client, its L1 and, where there is a storage, the tier above it; `close` ends all three.
 * Two clients share nothing.
 *
 * Long because: it is the public surface, and the documentation of the methods stands with them.
 */

import { CancelledError, StackQueryError } from '../errors.ts'
import type { FetchCounters, FetchEnvironment } from '../fetching/environment.ts'
import { Fetcher } from '../fetching/fetcher.ts'
import { hashKey } from '../keys/hash-key.ts'
import type { QueryKey } from '../keys/query-key.ts'
import { QueryCache } from '../memory/query-cache.ts'
import { type BaseMutationOptions, Mutation, type MutationHost } from '../mutation/mutation.ts'
import type { Clock } from '../ports/clock.ts'
import { isFresh } from '../query/freshness.ts'
import { assertDuration } from '../query/option-checks.ts'
import type { AnyQueryOptions, Query, QueryWatcher } from '../query/query.ts'
import { isKeyFilter, normalizedFilter, type QueryFilter } from '../query/query-filter.ts'
import { type ObserverHost, QueryObserver } from '../query/query-observer.ts'
import {
  assertQueryOptions,
  type BaseObserverOptions,
  type BaseQueryOptions,
} from '../query/query-options.ts'
import * as state from '../query/query-state.ts'
import { type QueryState, viewOf } from '../query/query-view.ts'
import { SafeLogger } from '../resilience/safe-logger.ts'
import { systemClock } from '../resilience/system-clock.ts'
import { TimerQueue } from '../resilience/timer-queue.ts'
import { jsonSerializer } from '../tier/json-serializer.ts'
import { StorageTier, type TierStats } from '../tier/storage-tier.ts'
import { type QueryClientConfig, resolvedConfig } from './query-client-config.ts'
import type { KeyOf } from './tagged-key.ts'

/** The options of one query, for `fetchQuery` and `prefetchQuery`. */
export interface QueryOptions<T> extends BaseQueryOptions<T, QueryClient> {}

/** The options of one observer, for `watch`. */
export interface QueryObserverOptions<T, S = T> extends BaseObserverOptions<T, S, QueryClient> {}

export interface MutationOptions<TInput, TData, TContext>
  extends BaseMutationOptions<TInput, TData, TContext, QueryClient> {}

export interface ClientStats extends FetchCounters {
  /** Queries in L1. */
  entries: number
  /** Queries that left L1 because of their age or number. */
  evictions: number
  /** L2; `null` for a client without storage. */
  storage: TierStats | null
}

export interface CacheView {
  /** Queries in L1. */
  readonly size: number
  has(key: QueryKey): boolean
  find(filter?: QueryKey | QueryFilter): (QueryState<unknown> & { readonly queryKey: QueryKey })[]
}

export class QueryClient {
  readonly #clock: Clock
  readonly #timers: TimerQueue
  readonly #logger: SafeLogger
  readonly #cache: QueryCache
  readonly #tier: StorageTier | null
  readonly #env: FetchEnvironment
  readonly #fetcher: Fetcher
  readonly #staleTime: number
  readonly #counters: FetchCounters
  readonly #observerHost: ObserverHost
  readonly #mutationHost: MutationHost
  #closing: Promise<void> | null = null

  /** @throws InvalidOptionError (`INVALID_OPTION`) quoting what is out of range */
  constructor(config: QueryClientConfig = {}) {
    const { clock = systemClock, storage, logger = console, serializer = jsonSerializer, ...rest } = config
    const { defaults, cacheMaxSize, namespace, storageTimeout } = resolvedConfig({
      ...rest,
      clock,
      storage,
      logger,
      serializer,
    })
    this.#clock = clock
    this.#timers = new TimerQueue(clock)
    this.#logger = new SafeLogger(logger)
    this.#cache = new QueryCache(cacheMaxSize, clock, this.#timers)
    this.#staleTime = defaults.staleTime
    this.#counters = {
      memoryHits: 0,
      memoryMisses: 0,
      staleServes: 0,
      joins: 0,
      originCalls: 0,
      originFailures: 0,
    }
    const shared = { clock, timers: this.#timers, logger: this.#logger }
    this.#tier =
      storage === undefined
        ? null
        : new StorageTier({ ...shared, backend: storage, serializer, namespace, storageTimeout })
    this.#env = {
      ...shared,
      cache: this.#cache,
      tier: this.#tier,
      defaults,
      counters: this.#counters,
      departing: new Map(),
      client: this,
    }
    this.#fetcher = new Fetcher(this.#env)
    this.#observerHost = {
      ...shared,
      staleTime: defaults.staleTime,
      now: () => clock.now(),
      obtain: (options) => this.#fetcher.obtain(options),
      peek: (options) => this.#cache.get(options.queryKey),
      attach: (query, observer) => this.#attach(query, observer),
      detach: (query, observer) => this.#detach(query, observer),
      refresh: (query, options) => {
        if (this.#closing === null) this.#fetcher.refresh(query, options)
      },
      refetch: async (query, options) => {
        this.#assertOpen()
        await this.#fetcher.refetch(query, options)
      },
    }
    this.#mutationHost = {
      ...shared,
      retryDelay: defaults.retryDelay,
      client: this,
      isClosed: () => this.#closing !== null,
    }
  }

  /**
   * The data of a query: fresh from L1, else from L2, else from its `queryFn`. Stale data is returned at once and
   * refreshed behind (see `whenStale`). Callers of one key share one fetch.
   *
   * Rejects with what `queryFn` threw last, with `INVALID_QUERY_KEY` or `INVALID_OPTION` for bad options, `CANCELLED`,
   * `FETCH_TIMEOUT`, `MISSING_QUERY_FN`, `UNDEFINED_DATA`, `VALIDATION_FAILED`, or the reason of `signal`.
   */
  fetchQuery<T>(options: QueryOptions<T>): Promise<T> {
    try {
      const query = this.#cache.get(options.queryKey)
      // The fast path: nothing but memory, and no options that ask for more than data.
      if (query !== undefined && options.gcTime === undefined && options.signal === undefined) {
        const now = this.#clock.now()
        if (isFresh(query.held, options.staleTime ?? this.#staleTime, now)) {
          this.#counters.memoryHits++
          this.#cache.touch(query, now)
          return query.settled as Promise<T>
        }
      }
      assertQueryOptions(options as never)
      this.#assertOpen()
      return this.#fetcher.fetch(options as AnyQueryOptions) as Promise<T>
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Like `fetchQuery`, for the sake of the cache: never rejects, failures go to `onError` and the logger. */
  async prefetchQuery<T>(options: QueryOptions<T>): Promise<void> {
    try {
      await this.fetchQuery(options)
    } catch (error) {
      this.#logger.warn('prefetchQuery failed.', error)
    }
  }

  /** What L1 holds, stale or not; a use of it. */
  getQueryData<K extends QueryKey, T = KeyOf<K>>(key: K): T | undefined {
    const query = this.#cache.get(key)
    if (query === undefined) return undefined
    this.#cache.touch(query, this.#clock.now())
    return query.held.data as T | undefined
  }

  /** What L1 holds, or else L2, stale or not; never asks the origin. */
  async getQueryDataAsync<K extends QueryKey, T = KeyOf<K>>(key: K): Promise<T | undefined> {
    return this.getQueryData<K, T>(key) ?? ((await this.#fetcher.hydrate(key)) as T | undefined)
  }

  /**
   * Puts data into both tiers, as of now. An updater gets what L1 holds; where it returns `undefined`, nothing changes.
   * A fetch that runs goes on and will replace it; `cancelQueries` first where it must not.
   *
   * @returns the data that L1 holds afterwards
   */
  setQueryData<K extends QueryKey, T = KeyOf<K>>(
    key: K,
    dataOrUpdater: NoInfer<T> | ((old: NoInfer<T> | undefined) => NoInfer<T> | undefined),
  ): T | undefined {
    const held = this.#cache.get(key)?.held.data as T | undefined
    const data =
      typeof dataOrUpdater === 'function'
        ? (dataOrUpdater as (old: T | undefined) => T | undefined)(held)
        : dataOrUpdater
    if (data === undefined) return held
    const { defaults } = this.#env
    const query = this.#cache.obtain(key, defaults.gcTime)
    const now = this.#clock.now()
    query.update(state.dataReceived(query.held, data, 'manual', now, false))
    this.#cache.touch(query, now)
    const { storage, storageTtl, gcTime } = query.options ?? {}
    if (storage !== false) {
      this.#tier?.persist(query, data, now, storageTtl ?? gcTime ?? defaults.storageTtl, 'when-written')
    }
    return data
  }

  /** The state of a query that L1 knows. `isStale` is by the query's own `staleTime`. */
  getQueryState<T = unknown>(key: QueryKey): QueryState<T> | undefined {
    const query = this.#cache.get(key)
    return query === undefined ? undefined : (this.#view(query) as QueryState<T>)
  }

  /**
   * Makes queries stale, in this worker at once and, where the filter speaks of keys alone, in L2 and every other worker.
   * Their data may still be served while it is refreshed. Queries with an enabled observer are fetched again, behind,
   * unless `refetch` is `false`.
   *
   * Resolves when L2 has it: at most `storageTimeout` later, and while L2 is away at once.
   */
  async invalidateQueries(
    filter?: QueryKey | QueryFilter,
    options: { refetch?: boolean } = {},
  ): Promise<void> {
    const found = this.#find(filter)
    const written = this.#invalidateStorage(filter, found, 'soft')
    for (const query of found) {
      query.invalidations++
      const hasLost = query.fetch?.overtake('soft') === true
      query.update(state.invalidated(hasLost ? state.fetchCancelled(query.held) : query.held))
      this.#cache.settleDown(query)
    }
    if (options.refetch !== false) this.#refetchActive(found)
    await written
  }

  /**
   * Removes queries: from this worker at once and, where the filter speaks of keys alone, from L2 and every other worker,
   * those it has never seen included. Resolves like `invalidateQueries`.
   */
  async removeQueries(filter?: QueryKey | QueryFilter): Promise<void> {
    const found = this.#find(filter)
    const written = this.#invalidateStorage(filter, found, 'hard')
    for (const query of found) this.#drop(query)
    await written
  }

  /** Asks the origin again for all queries that have a `queryFn`; resolves when all have settled, never rejects. */
  async refetchQueries(filter?: QueryKey | QueryFilter): Promise<void> {
    const fetches = this.#find(filter)
      .filter((query) => query.options?.queryFn !== undefined && !query.isPaused)
      .map((query) => this.#fetcher.refetch(query, query.options as AnyQueryOptions))
    await Promise.allSettled(fetches)
  }

  /**
   * Aborts running fetches: their callers are rejected with `CANCELLED`, the queries go back to the state before. Data that
   * was set meanwhile stays.
   */
  async cancelQueries(filter?: QueryKey | QueryFilter): Promise<void> {
    for (const query of this.#find(filter)) {
      const reason = new CancelledError(`The fetch of ${query.hash} was cancelled.`)
      query.fetch?.cancel(reason)
      this.#env.departing.get(query.hash)?.cancel(reason)
      // Nor does the next one wait for an origin that goes on regardless.
      this.#env.departing.delete(query.hash)
    }
  }

  /**
   * Back to the beginning: fetches are cancelled, data is removed from both tiers, initial data comes back, and observed
   * queries are fetched again.
   */
  async resetQueries(filter?: QueryKey | QueryFilter): Promise<void> {
    const found = this.#find(filter)
    const written = this.#invalidateStorage(filter, found, 'hard')
    for (const query of found) {
      query.fetch?.cancel(new CancelledError(`${query.hash} was reset.`))
      query.removals++
      query.update(state.EMPTY)
      if (query.options !== null) this.#fetcher.obtain(query.options)
      if (query.held === state.EMPTY && query.observers.length === 0) this.#cache.remove(query)
    }
    this.#refetchActive(found)
    await written
  }

  /** Holds back origin calls, polling and retries of queries; what runs at the moment is let finish. */
  pauseQueries(filter?: QueryKey | QueryFilter): void {
    for (const query of this.#find(filter)) {
      query.isPaused = true
      query.notify()
    }
  }

  /** Lets paused queries go on. Observed ones are fetched again behind where `refetch` is `true`. */
  resumeQueries(filter?: QueryKey | QueryFilter, options: { refetch?: boolean } = {}): void {
    const found = this.#find(filter).filter((query) => query.isPaused)
    for (const query of found) {
      query.isPaused = false
      query.fetch?.wake()
      query.notify()
    }
    if (options.refetch === true) this.#refetchActive(found)
  }

  /** An observer of a query; it begins to fetch when it is subscribed to. */
  watch<T, S = T>(options: QueryObserverOptions<T, S>): QueryObserver<S> {
    return new QueryObserver<S>(this.#observerHost, options as never)
  }

  mutation<TInput, TData, TContext = unknown>(
    options: MutationOptions<TInput, TData, TContext>,
  ): Mutation<TInput, TData, TContext> {
    return new Mutation(this.#mutationHost, options as never)
  }

  /** Empties L1 alone, as if the process had restarted. Running fetches answer their callers and are not stored. */
  clear(): void {
    for (const query of this.#find(undefined)) this.#drop(query)
  }

  /**
   * Waits until L2 has every write, or `timeout` milliseconds (default 5,000) have passed.
   *
   * @returns how many were written meanwhile and how many still wait
   */
  async flush(options: { timeout?: number } = {}): Promise<{ written: number; pending: number }> {
    assertDuration('timeout', options.timeout)
    return (await this.#tier?.flush(options.timeout ?? 5_000)) ?? { written: 0, pending: 0 }
  }

  /**
   * Ends the client: flushes (for `timeout` milliseconds at most, 5,000 by default; what is left is reported), cancels what
   * runs, closes the storage. Fetches are rejected from the call on.
   */
  close(options: { timeout?: number } = {}): Promise<void> {
    assertDuration('timeout', options.timeout)
    this.#closing ??= this.#close(options.timeout ?? 5_000)
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Counters since the client was made, and what is going on now. Cheap: for every scrape of a monitor. */
  stats(): ClientStats {
    return {
      entries: this.#cache.size,
      evictions: this.#cache.evictions,
      ...this.#counters,
      storage: this.#tier?.stats() ?? null,
    }
  }

  /** A look into L1 that is no use of what it finds. */
  readonly cache: CacheView = this.#cacheView()

  #cacheView(): CacheView {
    const size = (): number => this.#cache.size
    return {
      get size() {
        return size()
      },
      has: (key) => this.#cache.get(key) !== undefined,
      find: (filter) => this.#find(filter).map((query) => ({ ...this.#view(query), queryKey: query.key })),
    }
  }

  async #close(timeout: number): Promise<void> {
    for (const query of this.#find(undefined))
      query.fetch?.cancel(new CancelledError('The client was closed.'))
    this.clear()
    await this.#tier?.close(timeout)
    this.#timers.close()
  }

  #find(filter: QueryKey | QueryFilter | undefined): Query[] {
    const { queryKey, exact, type = 'all', stale, predicate } = normalizedFilter(filter)
    const exactly = exact === true ? this.#cache.get(queryKey) : undefined
    const candidates = exact === true ? (exactly === undefined ? [] : [exactly]) : this.#cache.under(queryKey)
    if (type === 'all' && stale === undefined && predicate === undefined) return candidates
    return candidates.filter(
      (query) =>
        (type === 'all' || isActive(query) === (type === 'active')) &&
        (stale === undefined || this.#isStale(query) === stale) &&
        (predicate === undefined || predicate({ queryKey: query.key, state: this.#view(query) })),
    )
  }

  /** A filter that asks for more than keys means what L1 knows of, key by key. */
  async #invalidateStorage(
    filter: QueryKey | QueryFilter | undefined,
    found: readonly Query[],
    kind: 'soft' | 'hard',
  ): Promise<void> {
    const tier = this.#tier
    if (tier === null) return
    const normalized = normalizedFilter(filter)
    const isByKey = isKeyFilter(normalized)
    const keys = isByKey ? [normalized.queryKey] : found.map((query) => query.key)
    const written = tier.invalidate(keys, !isByKey || normalized.exact === true, kind)
    if (kind === 'hard') {
      for (const query of found) tier.remove(query)
      const { queryKey } = normalized
      if (isByKey && queryKey.length > 0) tier.remove({ key: queryKey, hash: hashKey(queryKey) })
    }
    await written
  }

  #drop(query: Query): void {
    query.fetch?.overtake('hard')
    query.removals++
    if (query.observers.length === 0) {
      this.#cache.remove(query)
      query.held = state.EMPTY
      return
    }
    // Observed queries stay, empty: an observer must never look at an entry that nobody else can find.
    query.update(state.EMPTY)
  }

  #refetchActive(queries: readonly Query[]): void {
    if (this.#closing !== null) return
    for (const query of queries) {
      if (!isActive(query) || query.options?.queryFn === undefined) continue
      if (query.fetch === null && !query.isPaused) {
        this.#fetcher.refetch(query, query.options).catch(ignore)
      }
    }
  }

  #attach(query: Query, observer: QueryWatcher): void {
    query.observers = [...query.observers, observer]
    this.#cache.use(query)
  }

  #detach(query: Query, observer: QueryWatcher): void {
    query.observers = query.observers.filter((other) => other !== observer)
    this.#cache.settleDown(query)
  }

  #isStale(query: Query): boolean {
    return !isFresh(query.held, query.options?.staleTime ?? this.#staleTime, this.#clock.now())
  }

  #view(query: Query): QueryState<unknown> {
    return viewOf(query.held, query.isPaused, this.#isStale(query))
  }

  #assertOpen(): void {
    if (this.#closing !== null) throw new StackQueryError('CLIENT_CLOSED', 'The client is closed.')
  }
}

function isActive(query: Query): boolean {
  return query.observers.some((observer) => observer.isEnabled)
}

function ignore(): void {}
