/**
 * One user's view of one query, for as long as someone subscribes.
 *
 * States: `idle` (nobody subscribes: it holds nothing, `result` is worked out when asked for) ↔ `attached` (it is among
 * its query's observers, which keeps the query in L1, and owns the alarms for polling and for growing stale). The first
 * subscriber attaches and fetches what is missing or stale, the last one detaches; a running fetch goes on.
 *
 * Listeners are told of every change, in the order of subscribing; one that throws is logged and skips nobody. One that
 * changes the state itself makes the rest hear of the newer state only.
 *
 * Long because: attaching, showing and polling share the one attached state.
 */

import { ownKey } from '../keys/own-key.ts'
import { asError } from '../resilience/as-error.ts'
import type { SafeLogger } from '../resilience/safe-logger.ts'
import type { Alarm, TimerQueue } from '../resilience/timer-queue.ts'
import { isFresh } from './freshness.ts'
import type { AnyQueryOptions, Query } from './query.ts'
import { assertQueryOptions, type BaseObserverOptions } from './query-options.ts'
import type { QueryWatcher } from './query-use.ts'
import { isSameState, type QueryState, view, viewOf } from './query-view.ts'
import { latest } from './state-stream.ts'

export type StateListener<S> = (state: QueryState<S>) => unknown

/** What an observer needs of the client. */
export interface ObserverHost {
  readonly timers: TimerQueue
  readonly logger: SafeLogger
  readonly staleTime: number
  now(): number
  /** The query of these options, made where there is none. */
  obtain(options: AnyQueryOptions): Query
  /** The query of these options, if L1 has it. */
  peek(options: AnyQueryOptions): Query | undefined
  attach(query: Query, observer: QueryWatcher): void
  detach(query: Query, observer: QueryWatcher): void
  /** Fetches behind, through L2. */
  refresh(query: Query, options: AnyQueryOptions): void
  /** Asks the origin. */
  refetch(query: Query, options: AnyQueryOptions): Promise<unknown>
}

export type AnyObserverOptions = BaseObserverOptions<unknown, unknown, never>

/** One `subscribe`: the same function may subscribe twice and leave once. */
interface Subscription<S> {
  readonly listener: StateListener<S>
  /** It has been called with the first state. */
  isTold: boolean
}

interface Selection {
  readonly from: unknown
  readonly by: unknown
  readonly data: unknown
  readonly error: Error | null
}

const NOT_SELECTED: Selection = {
  from: Symbol('nothing selected yet'),
  by: undefined,
  data: undefined,
  error: null,
}

export class QueryObserver<S> implements QueryWatcher {
  readonly #host: ObserverHost
  #options: AnyObserverOptions
  #query: Query | null = null
  readonly #subscriptions = new Set<Subscription<S>>()
  #result: QueryState<S> | null = null
  #selection = NOT_SELECTED
  #poll: Alarm | null = null
  #pollInterval: number | false = false
  #staleness: Alarm | null = null

  constructor(host: ObserverHost, options: AnyObserverOptions) {
    assertQueryOptions(options as never)
    host.peek(options)
    this.#host = host
    this.#options = { ...options, queryKey: ownKey(options.queryKey) }
  }

  /** What the observer shows now. */
  get result(): QueryState<S> {
    if (this.#query === null || this.#result === null) return this.#compute()
    return this.#result
  }

  /** Whether it may fetch by itself. */
  get isEnabled(): boolean {
    return this.#options.enabled !== false
  }

  /**
   * Calls `listener` at once, synchronously, then at every change. The first subscriber starts the fetch of what is
   * missing or stale.
   *
   * @returns the function that ends the subscription
   */
  subscribe(listener: StateListener<S>): () => void {
    const mine: Subscription<S> = { listener, isTold: false }
    this.#subscriptions.add(mine)
    if (this.#query === null) this.#attach()
    mine.isTold = true
    this.#host.logger.call('A listener', listener, this.result)
    return () => {
      if (this.#subscriptions.delete(mine) && this.#subscriptions.size === 0) this.#detach()
    }
  }

  /** Asks the origin, whatever the caches hold, and resolves to the state after it; never rejects. */
  async refetch(): Promise<QueryState<S>> {
    const query = this.#query ?? this.#host.obtain(this.#options)
    await this.#host.refetch(query, this.#options).then(ignore, ignore)
    return this.result
  }

  /** Options of another key make it show another query; the rest applies from now on. */
  setOptions(options: AnyObserverOptions): void {
    assertQueryOptions(options as never)
    const before = this.#query
    this.#host.peek(options)
    this.#options = { ...options, queryKey: ownKey(options.queryKey) }
    if (before === null) return
    const query = this.#host.obtain(this.#options)
    if (query !== before) {
      this.#leave(before)
      this.#selection = NOT_SELECTED
      this.#join(query)
    }
    this.#fetchIfNeeded(query)
    this.#armPoll()
    this.#armStaleness()
    this.onQueryUpdate()
  }

  /** The states, the newest one when asked: a slow consumer skips what has been overtaken. */
  [Symbol.asyncIterator](): AsyncIterableIterator<QueryState<S>> {
    return latest((listener) => this.subscribe(listener))
  }

  onQueryUpdate(): void {
    if (this.#query === null) return
    const state = this.#compute()
    if (this.#result !== null && isSameState(this.#result, state)) return
    this.#result = state
    this.#armStaleness()
    if (typeof this.#options.refetchInterval === 'function' && this.#interval() !== this.#pollInterval)
      this.#armPoll()
    for (const each of [...this.#subscriptions]) {
      // A listener has changed it again: all have been told of what is newer, so the older must not follow.
      if (this.#result !== state) return
      if (each.isTold && this.#subscriptions.has(each))
        this.#host.logger.call('A listener', each.listener, state)
    }
  }

  #attach(): void {
    const query = this.#host.obtain(this.#options)
    this.#join(query)
    this.#fetchIfNeeded(query)
    this.#result = this.#compute()
    this.#armStaleness()
    this.#armPoll()
  }

  #detach(): void {
    if (this.#query !== null) this.#leave(this.#query)
    this.#query = null
    this.#result = null
    this.#cancel(this.#poll)
    this.#cancel(this.#staleness)
  }

  #join(query: Query): void {
    this.#query = query
    this.#host.attach(query, this)
  }

  #leave(query: Query): void {
    this.#host.detach(query, this)
  }

  #fetchIfNeeded(query: Query): void {
    if (!this.isEnabled || isFresh(query, this.#staleTime, this.#host.now())) return
    this.#host.refresh(query, this.#options)
  }

  get #staleTime(): number {
    return this.#options.staleTime ?? this.#host.staleTime
  }

  #compute(): QueryState<S> {
    const query = this.#query ?? this.#host.peek(this.#options)
    const state = query === undefined ? NOTHING : this.#view(query)
    if (state.data === undefined) return this.#withPlaceholder(state) as QueryState<S>
    return this.#select(state) as QueryState<S>
  }

  #view(query: Query): QueryState<unknown> {
    return viewOf(query.held, query.isPaused, !isFresh(query, this.#staleTime, this.#host.now()))
  }

  #withPlaceholder(state: QueryState<unknown>): QueryState<unknown> {
    const { placeholderData } = this.#options
    if (placeholderData === undefined || state.isError) return state
    let data: unknown = placeholderData
    if (typeof placeholderData === 'function') {
      data = undefined
      this.#host.logger.call('placeholderData', () => {
        data = (placeholderData as () => unknown)()
      })
    }
    if (data === undefined) return state
    return this.#select(view({ ...state, data, status: 'success', source: 'placeholder' }))
  }

  #select(state: QueryState<unknown>): QueryState<unknown> {
    const { select } = this.#options
    if (select === undefined) return state
    const { data } = state
    if (!Object.is(data, this.#selection.from) || select !== this.#selection.by) {
      const kept = this.#selection.data
      try {
        this.#selection = { from: data, by: select, data: select(data as never), error: null }
      } catch (thrown) {
        this.#selection = { from: data, by: select, data: kept, error: asError(thrown) }
      }
    }
    const { data: selected, error } = this.#selection
    if (error === null) return view({ ...state, data: selected })
    return view({ ...state, data: selected, status: 'error', error, errorUpdatedAt: state.dataUpdatedAt })
  }

  #armPoll(): void {
    this.#cancel(this.#poll)
    this.#poll = null
    const interval = this.#interval()
    this.#pollInterval = interval
    if (interval === false || this.#query === null) return
    this.#poll = this.#host.timers.after(interval, () => {
      const query = this.#query
      if (query === null) return
      if (this.isEnabled && !query.isPaused) this.#host.refetch(query, this.#options).then(ignore, ignore)
      this.#armPoll()
    })
  }

  #interval(): number | false {
    const { refetchInterval = false } = this.#options
    if (typeof refetchInterval !== 'function') return refetchInterval
    const query = this.#query
    let interval: unknown = false
    if (query !== null) {
      this.#host.logger.call('refetchInterval', () => {
        interval = refetchInterval(this.#view(query))
      })
    }
    return typeof interval === 'number' && interval > 0 ? interval : false
  }

  /** `isStale` changes by the mere passing of time. */
  #armStaleness(): void {
    this.#cancel(this.#staleness)
    this.#staleness = null
    const state = this.#result
    if (state === null || state.isStale || this.#query === null) return
    const age = this.#host.now() - this.#query.dataUpdatedAt
    this.#staleness = this.#host.timers.after(this.#staleTime - age, () => {
      this.onQueryUpdate()
      // A timer may be a little early.
      if (this.#result?.isStale === false) this.#armStaleness()
    })
  }

  #cancel(alarm: Alarm | null): void {
    if (alarm !== null) this.#host.timers.cancel(alarm)
  }
}

const NOTHING: QueryState<unknown> = view({
  status: 'idle',
  fetchStatus: 'idle',
  data: undefined,
  error: null,
  dataUpdatedAt: 0,
  errorUpdatedAt: 0,
  fetchFailureCount: 0,
  fetchFailureReason: null,
  isInvalidated: false,
  source: null,
  isStale: true,
})

function ignore(): void {}
