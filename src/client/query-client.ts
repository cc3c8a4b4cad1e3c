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
import { Fleet, type FleetStats } from '../fleet/fleet.ts'
import { hashKey } from '../keys/hash-key.ts'
import { ownKey } from '../keys/own-key.ts'
import type { QueryKey } from '../keys/query-key.ts'
import { QueryCache } from '../memory/query-cache.ts'
import { type BaseMutationOptions, Mutation, type MutationHost } from '../mutation/mutation.ts'
import type { Clock } from '../ports/clock.ts'
import { isFresh } from '../query/freshness.ts'
import { assertDuration, assertObject, assertOneOf } from '../query/option-checks.ts'
import type { AnyQueryOptions, Query } from '../query/query.ts'
import { isKeyFilter, normalizedFilter, type QueryFilter } from '../query/query-filter.ts'
import { type ObserverHost, QueryObserver } from '../query/query-observer.ts'
import {
  assertQueryOptions,
  type BaseObserverOptions,
  type BaseQueryOptions,
} from '../query/query-options.ts'
import * as state from '../query/query-state.ts'
import type { QueryWatcher } from '../query/query-use.ts'
import { type QueryState, viewOf } from '../query/query-view.ts'
import { AbortWatch } from '../resilience/abort-watch.ts'
import { keepStringsFast } from '../resilience/fast-strings.ts'
import { SafeLogger } from '../resilience/safe-logger.ts'
import { systemClock } from '../resilience/system-clock.ts'
import { TimerQueue } from '../resilience/timer-queue.ts'
import type { Capture } from '../tier/generations.ts'
import { jsonSerializer } from '../tier/json-serializer.ts'
import { StorageTier, type TierStats } from '../tier/storage-tier.ts'
import { type QueryClientConfig, resolvedConfig } from './query-client-config.ts'
import { recall } from './remembered-query.ts'
import type { TaggedKey, UntaggedKey } from './tagged-key.ts'

/** Makes new data of old; `undefined` = leave it as it is. */
export type Updater<T> = (old: T | undefined) => T | undefined

export interface SetQueryDataOptions {
  /**
   * `false` = into L1 alone. For an optimistic update: other workers must not see what its origin has not confirmed, nor
   * may it outlive a process that dies before it can take it back.
   * @default the query's `storage`, which is `true`
   */
  storage?: boolean | undefined
}

/** The options of one query, for `fetchQuery` and `prefetchQuery`. */
export interface QueryOptions<T, TPrevious = T> extends BaseQueryOptions<T, QueryClient, TPrevious> {}

/** The options of one observer, for `watch`. */
export interface QueryObserverOptions<T, S = T, TPrevious = T>
  extends BaseObserverOptions<T, S, QueryClient, TPrevious> {}

export interface MutationOptions<TInput, TData, TContext>
  extends BaseMutationOptions<TInput, TData, TContext, QueryClient> {}

export interface ClientStats extends FetchCounters {
  /** Queries in L1. */
  entries: number
  /** Queries that left L1 because of their age or number. */
  evictions: number
  /** L2; `null` for a client without storage. */
  storage: TierStats | null
  /** The change feed; `null` where the storage has none. */
  fleet: FleetStats | null
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
  readonly #fleet: Fleet | null
  readonly #env: FetchEnvironment
  readonly #fetcher: Fetcher
  readonly #staleTime: number
  readonly #counters: FetchCounters
  readonly #observerHost: ObserverHost
  readonly #mutationHost: MutationHost
  #closing: Promise<void> | null = null

  /** @throws InvalidOptionError (`INVALID_OPTION`) quoting what is out of range */
  constructor(config: QueryClientConfig = {}) {
    assertObject('config', config)
    const { clock = systemClock, storage, logger = console, serializer = jsonSerializer, ...rest } = config
    const { defaults, cacheMaxSize, namespace, storageTimeout, syncInterval } = resolvedConfig({
      ...rest,
      clock,
      storage,
      logger,
      serializer,
    })
    keepStringsFast()
    this.#clock = clock
    this.#timers = new TimerQueue(clock)
    this.#logger = new SafeLogger(logger)
    this.#cache = new QueryCache(cacheMaxSize, clock, this.#timers, storage !== undefined)
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
    this.#fleet =
      this.#tier === null || storage === undefined
        ? null
        : new Fleet({
            ...shared,
            backend: storage,
            tier: this.#tier,
            cache: this.#cache,
            namespace,
            syncInterval,
            random: Math.random,
            refresh: (query) => {
              if (query.queryFn !== null) this.#fetcher.refresh(query, query.options as AnyQueryOptions)
            },
            drop: (query) => this.#drop(query),
            discard: (query) => this.#fetcher.discard(query),
          })
    this.#env = {
      ...shared,
      fleet: this.#fleet,
      storageTimeout,
      cache: this.#cache,
      tier: this.#tier,
      defaults,
      counters: this.#counters,
      departing: new Map(),
      aborts: new AbortWatch(),
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
  fetchQuery<T, TPrevious = T>(options: QueryOptions<T, TPrevious>): Promise<T> {
    try {
      const query = options ? recall(options, this.#cache) : undefined
      // The fast paths: nothing but memory, and no options that ask for more than data.
      if (
        query !== undefined &&
        options.gcTime === undefined &&
        options.signal === undefined &&
        this.#closing === null
      ) {
        if (query.data === undefined) {
          const joined = this.#fetcher.joinAlike(query, options as AnyQueryOptions)
          if (joined !== null) return joined as Promise<T>
        } else {
          const now = this.#clock.now()
          if (isFresh(query, options.staleTime ?? this.#staleTime, now)) {
            this.#counters.memoryHits++
            this.#cache.touch(query, now)
            return query.settled as Promise<T>
          }
        }
      }
      assertQueryOptions(options as never)
      this.#assertOpen()
      return this.#fetcher.fetch(options as AnyQueryOptions, query) as Promise<T>
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Like `fetchQuery`, for the sake of the cache: never rejects, failures go to `onError` and the logger. */
  async prefetchQuery<T, TPrevious = T>(options: QueryOptions<T, TPrevious>): Promise<void> {
    try {
      await this.fetchQuery(options)
    } catch (error) {
      this.#logger.warn('prefetchQuery failed.', error)
    }
  }

  /** What L1 holds, stale or not; a use of it. */
  getQueryData<T>(key: TaggedKey<T>): T | undefined
  getQueryData<T = unknown>(key: UntaggedKey): T | undefined
  getQueryData(key: QueryKey): unknown {
    const query = this.#cache.get(key)
    if (query === undefined) return undefined
    this.#cache.touch(query, this.#clock.now())
    return query.data
  }

  /** What L1 holds, or else L2, stale or not; never asks the origin. */
  getQueryDataAsync<T>(key: TaggedKey<T>): Promise<T | undefined>
  getQueryDataAsync<T = unknown>(key: UntaggedKey): Promise<T | undefined>
  async getQueryDataAsync(key: QueryKey): Promise<unknown> {
    return this.getQueryData(key as UntaggedKey) ?? (await this.#fetcher.hydrate(key))
  }

  /**
   * Puts data into both tiers, as of now. An updater gets what L1 holds; where it returns `undefined`, nothing changes.
   * A fetch that runs goes on and will replace it; `cancelQueries` first where it must not.
   *
   * @returns the data that L1 holds afterwards
   */
  setQueryData<T>(
    key: TaggedKey<T>,
    dataOrUpdater: NoInfer<T | Updater<T>>,
    options?: SetQueryDataOptions,
  ): T | undefined
  setQueryData<T>(
    key: UntaggedKey,
    dataOrUpdater: T | Updater<T>,
    options?: SetQueryDataOptions,
  ): T | undefined
  setQueryData(key: QueryKey, dataOrUpdater: unknown, options: SetQueryDataOptions = {}): unknown {
    assertOneOf('storage', options.storage, [true, false])
    const found = this.#cache.get(key)
    const held = found?.data
    const isUpdater = typeof dataOrUpdater === 'function'
    const data = isUpdater ? (dataOrUpdater as Updater<unknown>)(held) : dataOrUpdater
    if (data === undefined) return held
    const { defaults } = this.#env
    // An updater is the user's: it may have done anything to the cache.
    const known = isUpdater ? this.#cache.get(key) : found
    const now = this.#clock.now()
    const query = known ?? this.#cache.add(key, defaults.gcTime, now)
    if (known !== undefined) {
      this.#cache.prolong(known, defaults.gcTime)
      this.#cache.touch(known, now)
    }
    const { storage, storageTtl, gcTime } = query.policy
    const name = this.#tier?.name(query)
    const capture = name === undefined ? null : (this.#tier?.capture(name) ?? null)
    query.vouchers = capture
    // Before anyone hears of the data: what a listener sets or removes then is newer.
    if (name !== undefined && storage !== false && options.storage !== false) {
      const ttl = storageTtl ?? gcTime ?? defaults.storageTtl
      if (capture !== null) {
        this.#tier?.persist(name, data, now, ttl, capture)
      } else {
        const onCaptured = (generations: Capture): void => {
          if (query.data === data && query.vouchers === null) query.vouchers = generations
        }
        this.#tier?.persist(name, data, now, ttl, 'when-written', undefined, onCaptured)
      }
      this.#fleet?.hasSet(query)
    }
    query.update(state.dataReceived(query, data, 'manual', now, false))
    return query.data
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
      if (query.fetch?.overtake('soft') === true) {
        query.update(state.invalidated(state.fetchCancelled(query.held)))
        this.#cache.settleDown(query)
      } else {
        query.invalidate()
      }
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
    const found = this.#find(filter)
    if (this.#closing !== null) return
    const fetches = found
      .filter((query) => query.queryFn !== null && !query.isPaused)
      .map((query) => this.#fetcher.refetch(query, query.options as AnyQueryOptions))
    await Promise.allSettled(fetches)
  }

  /**
   * Aborts running fetches: their callers are rejected with `CANCELLED`, the queries go back to the state before. Data that
   * was set meanwhile stays.
   */
  async cancelQueries(filter?: QueryKey | QueryFilter): Promise<void> {
    for (const query of this.#find(filter))
      this.#fetcher.cancel(query, new CancelledError(`The fetch of ${query.hash} was cancelled.`))
  }

  /**
   * Back to the beginning: fetches are cancelled, data is removed from both tiers, initial data comes back, and observed
   * queries are fetched again.
   */
  async resetQueries(filter?: QueryKey | QueryFilter): Promise<void> {
    const found = this.#find(filter)
    const written = this.#invalidateStorage(filter, found, 'hard')
    for (const query of found) {
      this.#fetcher.cancel(query, new CancelledError(`${query.hash} was reset.`))
      query.update(state.EMPTY)
      this.#fetcher.seed(query)
      if (query.isEmpty && !query.isObserved) this.#cache.remove(query)
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
      this.#fetcher.wake(query)
      query.notify()
    }
    if (options.refetch === true) this.#refetchActive(found)
  }

  /** An observer of a query; it begins to fetch when it is subscribed to. */
  watch<T, S = T, TPrevious = T>(options: QueryObserverOptions<T, S, TPrevious>): QueryObserver<S> {
    return new QueryObserver<S>(this.#observerHost, options as never)
  }

  mutation<TInput = void, TData = unknown, TContext = unknown>(
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
    return this.#flush(this.#time() + (options.timeout ?? 5_000))
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
      fleet: this.#fleet?.stats() ?? null,
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
      find: (filter) =>
        this.#find(filter).map((query) => ({ ...this.#view(query), queryKey: ownKey(query.key) })),
    }
  }

  async #close(timeout: number): Promise<void> {
    const reason = new CancelledError('The client was closed.')
    for (const query of this.#find(undefined)) query.fetch?.cancel(reason)
    this.#fetcher.cancelDeparting(reason)
    this.clear()
    const until = this.#time() + timeout
    await this.#flush(until)
    this.#fleet?.close()
    await this.#tier?.close(Math.max(0, until - this.#time()))
    this.#timers.close()
  }

  /** L2 first, then word of it to the peers, both by the monotonic moment `until`. */
  async #flush(until: number): Promise<{ written: number; pending: number }> {
    const flushed = await this.#tier?.flush(Math.max(0, until - this.#time()))
    await this.#fleet?.flush(Math.max(0, until - this.#time()))
    return flushed ?? { written: 0, pending: 0 }
  }

  #time(): number {
    return this.#clock.monotonic?.() ?? this.#clock.now()
  }

  #find(filter: QueryKey | QueryFilter | undefined): Query[] {
    const { queryKey, exact, type = 'all', stale, predicate } = normalizedFilter(filter)
    const exactly = exact === true ? this.#cache.get(queryKey) : undefined
    const candidates = exact === true ? (exactly === undefined ? [] : [exactly]) : this.#cache.under(queryKey)
    if (type === 'all' && stale === undefined && predicate === undefined) return candidates
    return candidates.filter(
      (query) =>
        (type === 'all' || query.isActive === (type === 'active')) &&
        (stale === undefined || this.#isStale(query) === stale) &&
        (predicate === undefined || predicate({ queryKey: ownKey(query.key), state: this.#view(query) })),
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
    this.#fetcher.discard(query)
    if (!query.isObserved) {
      this.#cache.remove(query)
      query.forget()
      // Nobody could resume what nobody can find.
      query.isPaused = false
      this.#fetcher.wake(query)
      return
    }
    // Observed queries stay, empty: an observer must never look at an entry that nobody else can find.
    query.update(state.EMPTY)
  }

  #refetchActive(queries: readonly Query[]): void {
    if (this.#closing !== null) return
    for (const query of queries) {
      if (!query.isActive || query.queryFn === null) continue
      if (query.fetch === null && !query.isPaused) {
        this.#fetcher.refetch(query, query.options as AnyQueryOptions).catch(ignore)
      }
    }
  }

  #attach(query: Query, observer: QueryWatcher): void {
    query.addObserver(observer)
    this.#cache.use(query)
  }

  #detach(query: Query, observer: QueryWatcher): void {
    const { isDoubted } = query
    query.removeObserver(observer)
    if (isDoubted && !query.isObserved) this.#drop(query)
    this.#cache.settleDown(query)
  }

  #isStale(query: Query): boolean {
    return !isFresh(query, query.policy.staleTime ?? this.#staleTime, this.#clock.now())
  }

  #view(query: Query): QueryState<unknown> {
    return viewOf(query.held, query.isPaused, this.#isStale(query))
  }

  #assertOpen(): void {
    if (this.#closing !== null) throw new StackQueryError('CLIENT_CLOSED', 'The client is closed.')
  }
}

function ignore(): void {}
