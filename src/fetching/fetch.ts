/**
 * One fetch of one query: L2, then the origin with its retries.
 *
 * States: `preparing` (asking L2, or waiting for an overtaken origin call of its key) → `calling` (the origin is
 * asked, or waited for to be asked again) → `over`. Every way into `over` goes through `#end`, once.
 *
 * A fetch is *attached* while its query's `fetch` is it: then callers may join, and its result is stored. An
 * invalidation detaches it (`overtake`): those who wait still get its result, nobody joins, and nothing of it is
 * stored as fresh. A soft one leaves a fetch alone that has not called the origin yet: its call is still to begin.
 *
 * Owns its abort controller and its alarms (time-out, pause before an attempt). Its callers hold it: it is
 * cancelled when the last of them has left, unless it also runs for the cache (`isBackground`) or for observers.
 *
 * Long because: the states of one fetch and every way between them are read together or not at all.
 */

import { CancelledError, FetchTimeoutError, StackQueryError } from '../errors.ts'
import { isFresh } from '../query/freshness.ts'
import type { AnyQueryOptions, OngoingFetch, Query } from '../query/query.ts'
import * as state from '../query/query-state.ts'
import type { Alarm } from '../resilience/timer-queue.ts'
import type { Capture } from '../tier/generations.ts'
import type { StoredData } from '../tier/storage-tier.ts'
import type { Departure, FetchEnvironment } from './environment.ts'
import { FetchContext, LazyAbort } from './fetch-context.ts'
import { planStored } from './plan.ts'
import { nextAttemptIn } from './retry.ts'
import { asError, validated } from './validation.ts'

export interface FetchStart {
  /** It runs for the cache itself: a refresh behind served data, or an observer's fetch. */
  readonly isBackground: boolean
  /** The origin is to be asked whatever L2 holds. */
  readonly skipStorage: boolean
  /** The monotonic moment from which on the callers of this fetch have waited for L2; absent = they have not. */
  readonly storageSince?: number | undefined
}

export class Fetch implements OngoingFetch {
  readonly promise: Promise<unknown>
  /** The refresh that follows stale data from L2, for callers who want no stale data. */
  successor: Fetch | null = null

  readonly #env: FetchEnvironment
  readonly #query: Query
  readonly #options: AnyQueryOptions
  readonly #start: FetchStart
  readonly #startedAt: number
  readonly #removals: number
  readonly #abort = new LazyAbort()
  readonly #predecessor: Departure | undefined
  #resolve!: (data: unknown) => void
  #reject!: (error: Error) => void
  #state: 'preparing' | 'calling' | 'over' = 'preparing'
  #callers = 0
  #overtaken: 'soft' | 'hard' | null = null
  #timeout: Alarm | null = null
  #wait: { readonly alarm: Alarm | null; readonly end: () => void } | null = null
  #onGone: (() => void) | null = null

  constructor(env: FetchEnvironment, query: Query, options: AnyQueryOptions, start: FetchStart) {
    this.#env = env
    this.#query = query
    this.#options = options
    this.#start = start
    this.#startedAt = env.clock.now()
    this.#removals = query.removals
    this.#predecessor = env.departing.size === 0 ? undefined : env.departing.get(query.hash)
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    if (start.isBackground) this.promise.catch(ignore)
    query.fetch = this
    env.cache.use(query)
    if (options.fetchTimeout !== undefined) {
      this.#timeout = env.timers.after(options.fetchTimeout, () => this.#timeOut())
    }
    // A fetch that follows another without a pause has its activity already.
    if (query.held.activity.before === null) query.update(state.fetchStarted(query.held))
    void this.#run()
  }

  join(signal: AbortSignal | undefined): Promise<unknown> {
    this.#callers++
    if (signal === undefined) return this.promise
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        reject(signal.reason)
        this.#callers--
        this.#cancelIfUnwanted()
      }
      signal.addEventListener('abort', leave, { once: true })
      const stay = (): void => signal.removeEventListener('abort', leave)
      this.promise.then(stay, stay)
      this.promise.then(resolve, reject)
    })
  }

  cancel(reason: Error): void {
    if (!this.#end()) return
    this.#detach(state.fetchCancelled)
    this.#abort.abort(reason)
    this.#reject(reason)
  }

  overtake(kind: 'soft' | 'hard'): boolean {
    if (kind === 'soft' && this.#state === 'preparing') return false
    this.#overtaken = kind
    const isWanted = this.#callers > 0 || (kind === 'soft' && this.#query.observers.length > 0)
    if (isWanted || this.#state === 'calling') this.#depart()
    this.#query.fetch = null
    if (!isWanted && this.#end()) {
      const reason = new CancelledError(`The fetch of ${this.#query.hash} was overtaken by an invalidation.`)
      this.#abort.abort(reason)
      this.#reject(reason)
    }
    return true
  }

  wake(): void {
    if (this.#wait?.alarm === null) this.#wait.end()
  }

  async #run(): Promise<void> {
    try {
      // A refresh must not begin before the call that caused it has returned.
      if (this.#start.isBackground) await undefined
      if (this.#env.tier !== null && this.#options.storage !== false && !this.#isOver()) {
        if (this.#start.skipStorage) await this.#env.tier.prepare(this.#query, this.#start.storageSince)
        else if (await this.#askStorage()) return
      }
      if (this.#predecessor !== undefined) await this.#predecessor.gone
      await this.#askOrigin()
    } finally {
      this.#onGone?.()
    }
  }

  /** Returns whether that was all. */
  async #askStorage(): Promise<boolean> {
    const { clock, counters, defaults } = this.#env
    const { staleTime = defaults.staleTime } = this.#options
    const query = this.#query
    const storageSince = clock.monotonic?.() ?? clock.now()
    const { invalidations } = query
    const stored = await this.#readStorage()
    if (this.#isOver()) return true
    const now = clock.now()
    if (this.#overtaken === null && isFresh(query.held, staleTime, now)) {
      // The user has set it in the meantime.
      this.#settle(query.held.data, state.fetchSucceeded)
      return true
    }
    if (stored === null) return false
    const { data, dataUpdatedAt } = stored
    const isInvalidated = stored.isInvalidated || query.invalidations !== invalidations
    const plan = planStored(query.held, { data, dataUpdatedAt, isInvalidated }, staleTime, now)
    if (plan === 'ignore') return false
    const received = (held: state.Held) =>
      state.dataReceived(held, data, 'storage', dataUpdatedAt, isInvalidated)
    if (plan === 'settle') {
      this.#settle(data, (held) => state.fetchSucceeded(received(held)))
      return true
    }
    if (this.#overtaken !== null) return false
    query.update(received(query.held))
    if (this.#callers === 0) return false
    counters.staleServes += this.#callers
    this.#end()
    const start = { isBackground: true, skipStorage: true, storageSince }
    this.successor = new Fetch(this.#env, query, this.#options, start)
    this.#resolve(data)
    return true
  }

  async #readStorage(): Promise<StoredData | null> {
    const { tier, logger } = this.#env
    const { validate } = this.#options
    const stored = (await tier?.read(this.#query)) ?? null
    if (stored === null || validate === undefined) return stored
    try {
      return { ...stored, data: await validated(validate, stored.data, this.#query.hash) }
    } catch (error) {
      tier?.countRejected()
      logger.warn(`L2 data of ${this.#query.hash} was not used.`, error)
      return null
    }
  }

  async #askOrigin(): Promise<void> {
    const { logger, counters, client, tier, defaults } = this.#env
    const {
      queryFn,
      validate,
      meta,
      retry = defaults.retry,
      retryDelay = defaults.retryDelay,
    } = this.#options
    const query = this.#query
    if (queryFn === undefined) {
      this.#fail(
        new StackQueryError(
          'MISSING_QUERY_FN',
          `No queryFn for ${query.hash}; expected a function that gets its data.`,
        ),
      )
      return
    }
    for (let failures = 0; ; failures++) {
      while (query.isPaused && !this.#isOver()) await this.#untilResumed()
      if (this.#isOver()) return
      this.#state = 'calling'
      // What is known of the generations now is known before the call begins, so it may vouch for its result.
      const capture = tier !== null && this.#options.storage !== false ? tier.capture(query) : null
      counters.originCalls++
      let error: Error
      try {
        let data = await queryFn(
          new FetchContext(query.key, client as never, meta, query.held, this.#abort) as never,
        )
        if (data === undefined) {
          throw new StackQueryError(
            'UNDEFINED_DATA',
            `The queryFn of ${query.hash} resolved to undefined; expected data, or null for none.`,
          )
        }
        if (validate !== undefined) data = await validated(validate, data, query.hash)
        this.#succeed(data, capture)
        return
      } catch (thrown) {
        error = asError(thrown)
      }
      counters.originFailures++
      if (this.#isOver()) return
      if (this.#overtaken === null) query.update(state.attemptFailed(query.held, error))
      const isHopeless = error instanceof StackQueryError && error.code === 'UNDEFINED_DATA'
      const delay = isHopeless ? null : nextAttemptIn({ retry, retryDelay }, failures, error, logger)
      if (delay === null) {
        this.#fail(error)
        return
      }
      await this.#pause(delay)
    }
  }

  #succeed(data: unknown, capture: Capture | null): void {
    if (this.#isOver()) return
    const { clock, tier, defaults, logger } = this.#env
    const { storage, storageTtl, gcTime, onSuccess, onSettled } = this.#options
    const query = this.#query
    const now = clock.now()
    const isWelcome = query.isCached && query.removals === this.#removals
    if (this.#overtaken === 'soft' && isWelcome && query.held.dataUpdatedAt < this.#startedAt) {
      query.update(state.dataReceived(query.held, data, 'origin', now, true))
    }
    this.#settle(data, (held) => state.fetchSucceeded(state.dataReceived(held, data, 'origin', now, false)))
    if (this.#overtaken === null && storage !== false) {
      const ttl = storageTtl ?? gcTime ?? defaults.storageTtl
      tier?.persist(query, data, Math.max(now, query.held.dataUpdatedAt), ttl, capture)
    }
    logger.call('onSuccess', onSuccess, data)
    logger.call('onSettled', onSettled, data, null)
  }

  #settle(data: unknown, transition: (held: state.Held) => state.Held): void {
    this.#end()
    this.#detach(transition)
    this.#resolve(data)
  }

  #fail(error: Error): void {
    if (!this.#end()) return
    const { clock, logger } = this.#env
    const now = clock.now()
    this.#detach((held) => state.fetchFailed(held, error, now))
    if (this.#callers === 0) logger.warn(`Background fetch of ${this.#query.hash} failed.`, error)
    this.#reject(error)
    logger.call('onError', this.#options.onError, error)
    logger.call('onSettled', this.#options.onSettled, undefined, error)
  }

  #timeOut(): void {
    const error = new FetchTimeoutError(
      `The fetch of ${this.#query.hash} took longer than its fetchTimeout of ${this.#options.fetchTimeout} ms.`,
    )
    this.#abort.abort(error)
    this.#fail(error)
  }

  /** The one way into `over`; `false` = it was there already. */
  #end(): boolean {
    if (this.#state === 'over') return false
    this.#state = 'over'
    if (this.#timeout !== null) this.#env.timers.cancel(this.#timeout)
    if (this.#wait?.alarm) this.#env.timers.cancel(this.#wait.alarm)
    this.#wait?.end()
    return true
  }

  /** Leaves the query, which changes by `transition`; a fetch that was overtaken has left it long ago. */
  #detach(transition: (held: state.Held) => state.Held): void {
    const query = this.#query
    if (query.fetch !== this) return
    query.fetch = null
    query.update(transition(query.held))
    this.#env.cache.settleDown(query)
  }

  /** Lets the next fetch of the key wait until this one's origin call has really ended. */
  #depart(): void {
    const { departing } = this.#env
    const { hash } = this.#query
    const gone = new Promise<void>((resolve) => {
      this.#onGone = resolve
    })
    const departure: Departure = {
      gone,
      cancel: (reason) => {
        this.cancel(reason)
        this.#predecessor?.cancel(reason)
      },
    }
    departing.set(hash, departure)
    void gone.then(() => {
      if (departing.get(hash) === departure) departing.delete(hash)
    })
  }

  #cancelIfUnwanted(): void {
    if (this.#callers > 0 || this.#start.isBackground || this.#query.observers.length > 0) return
    this.cancel(new CancelledError(`The fetch of ${this.#query.hash} was aborted: its last caller has left.`))
  }

  #isOver(): boolean {
    return this.#state === 'over'
  }

  #pause(delay: number): Promise<void> {
    return new Promise((resolve) => {
      this.#wait = { alarm: this.#env.timers.after(delay, resolve), end: resolve }
    })
  }

  async #untilResumed(): Promise<void> {
    const query = this.#query
    if (query.fetch === this) query.update(state.fetchPaused(query.held))
    await new Promise<void>((resolve) => {
      this.#wait = { alarm: null, end: resolve }
    })
    this.#wait = null
    if (query.fetch === this) query.update(state.fetchContinued(query.held))
  }
}

function ignore(): void {}
