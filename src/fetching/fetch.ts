/**
 * One fetch of one query: L2, then the origin with its retries.
 *
 * States: `preparing` (asking L2, or waiting for an overtaken origin call of its key) → `calling` (the origin is
 * asked, or waited for to be asked again) → `over`. Every way into `over` goes through `#end`, once.
 *
 * A fetch is *attached* while its query's `fetch` is it: then callers may join, and its result is stored. An
 * invalidation detaches it (`overtake`): those who wait still get its result, nobody joins, and nothing of it is
 * stored as fresh. A soft one leaves a fetch alone that has not called the origin yet: its call is still to begin.
 * What it has detached *departs*: before its own origin call, the next fetch of the key waits until that of what departs
 * has ended (`gone`); one that has not called the origin by then ends with what the next brings (`follow`).
 *
 * Owns its abort controller and its alarms (time-out, pause before an attempt). Its callers hold it: it is
 * cancelled when the last of them has left, unless it also runs for the cache (`isBackground`) or for observers.
 *
 * Long because: the states of one fetch and every way between them are read together or not at all.
 */

import { CancelledError, FetchTimeoutError, StackQueryError } from '../errors.ts'
import { LONGEST_WAIT, type Ticket } from '../fleet/single-flight.ts'
import { isFresh } from '../query/freshness.ts'
import type { AnyQueryOptions, Query } from '../query/query.ts'
import * as state from '../query/query-state.ts'
import type { OngoingFetch } from '../query/query-use.ts'
import { asError } from '../resilience/as-error.ts'
import type { Alarm } from '../resilience/timer-queue.ts'
import type { Capture } from '../tier/generations.ts'
import type { Seeker, StoredData } from '../tier/look.ts'
import type { Keyed, StoredName } from '../tier/stored-name.ts'
import type { DepartingFetch, FetchEnvironment } from './environment.ts'
import { FetchContext, LazyAbort } from './fetch-context.ts'
import { planStored } from './plan.ts'
import { nextAttemptIn } from './retry.ts'
import { validated } from './validation.ts'

export interface FetchStart {
  /** It runs for the cache itself: a refresh behind served data, or an observer's fetch. */
  readonly isBackground: boolean
  /** The origin is to be asked whatever L2 holds. */
  readonly skipStorage: boolean
  /** The monotonic moment from which on the callers of this fetch have waited for L2; absent = they have not. */
  readonly storageSince?: number | undefined
}

export class Fetch implements OngoingFetch, DepartingFetch, Seeker {
  readonly promise: Promise<unknown>
  /** The refresh that follows stale data from L2, for callers who want no stale data. */
  successor: Fetch | null = null
  gone: Promise<void> = GONE

  readonly #env: FetchEnvironment
  readonly #query: Query
  readonly #options: AnyQueryOptions
  readonly #start: FetchStart
  /** When its first origin call began. */
  #calledAt = 0
  /** The monotonic moment from which on its callers have waited for L2. */
  readonly #storageSince: number
  readonly #isStored: boolean
  #name: StoredName | null = null
  #abort: LazyAbort | null = null
  #predecessor: DepartingFetch | undefined
  #resolve!: (data: unknown) => void
  #reject!: (error: Error) => void
  #state: 'preparing' | 'calling' | 'over' = 'preparing'
  /** It was made for a caller who has not joined yet. */
  #isExpected: boolean
  #callers = 0
  /** A soft invalidation came while L2 was asked: what L2 says may be older. */
  #isDoubted = false
  /** Somebody wants the origin's word, whatever L2 holds. */
  #isInsistedOn = false
  #overtaken: 'soft' | 'hard' | null = null
  #timeout: Alarm | null = null
  #wait: { readonly alarm: Alarm | null; readonly end: () => void } | null = null
  #onGone: (() => void) | null = null
  #isGone = false
  #isFollowing = false
  #ticket: Ticket | null = null
  #hasRejected = false
  /** L2 has been asked for these callers: looking again is no other hit or miss. */
  #hasLooked: boolean
  #isHolding = false

  constructor(env: FetchEnvironment, query: Query, options: AnyQueryOptions, start: FetchStart) {
    this.#env = env
    this.#query = query
    this.#options = options
    this.#isStored = env.tier !== null && options.storage !== false
    this.#start = start
    this.#storageSince = start.storageSince ?? this.#now()
    this.#isExpected = !start.isBackground
    this.#hasLooked = start.storageSince !== undefined
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
    query.beginFetch()
    if (!this.#lookAtOnce()) void this.#run()
  }

  join(signal: AbortSignal | undefined): Promise<unknown> {
    this.#isExpected = false
    if (signal !== undefined) return this.#joinUntil(signal)
    if (++this.#callers === 1) this.#hold()
    return this.promise
  }

  #joinUntil(signal: AbortSignal): Promise<unknown> {
    if (signal.aborted) return Promise.reject(signal.reason)
    if (++this.#callers === 1) this.#hold()
    return new Promise((resolve, reject) => {
      const stay = this.#env.aborts.add(signal, () => {
        reject(signal.reason)
        this.#callers--
        this.#hold()
        this.#cancelIfUnwanted()
      })
      this.promise.then(stay, stay)
      this.promise.then(resolve, reject)
    })
  }

  cancel(reason: Error): void {
    this.#predecessor?.cancel(reason)
    this.#abandon(reason)
  }

  /** Ends this fetch alone: those that it waits for may have callers of their own. */
  #abandon(reason: Error): void {
    if (!this.#end()) return
    this.#detach(state.fetchCancelled(this.#query.held))
    this.#abort?.abort(reason)
    this.#reject(reason)
  }

  overtake(kind: 'soft' | 'hard'): boolean {
    if (kind === 'soft' && this.#state === 'preparing') {
      this.#isDoubted = true
      return false
    }
    this.#overtaken = kind
    if (this.#isWanted || this.#state === 'calling') this.#depart()
    this.#query.fetch = null
    this.#cancelIfOvertaken()
    return true
  }

  condemn(): void {
    this.#predecessor?.condemn()
    this.#overtaken = 'hard'
    this.#cancelIfOvertaken()
  }

  insist(): void {
    this.#isInsistedOn = true
  }

  wake(): void {
    this.#predecessor?.wake()
    if (this.#wait === null || this.#wait.alarm !== null) return
    this.#wait.end()
    this.#wait = null
    if (this.#query.fetch === this) this.#query.update(state.fetchContinued(this.#query.held))
  }

  /** The usual beginning, where there is nothing to wait for but L2. Returns whether it was one. */
  #lookAtOnce(): boolean {
    const { tier, fleet } = this.#env
    const { isBackground, skipStorage } = this.#start
    if (tier === null || !this.#isStored || isBackground || skipStorage) return false
    if (tier.isAway || fleet?.isReady === false || this.#options.validate !== undefined) return false
    const isAgain = this.#hasLooked
    this.#hasLooked = true
    const patience = isAgain ? this.#patience : this.#env.storageTimeout
    tier.look(this.#query, patience, isAgain, this, isAgain ? undefined : this.#storageSince)
    return true
  }

  /** What L2 has answered to that look. */
  found(stored: StoredData | null, now?: number): void {
    if (this.#takeStored(stored, now)) this.#leave()
    else void this.#run(true)
  }

  async #run(hasAskedStorage = false): Promise<void> {
    try {
      // A refresh must not begin before the call that caused it has returned.
      if (this.#start.isBackground) await undefined
      const { tier, fleet } = this.#env
      if (tier !== null && this.#isStored && !hasAskedStorage && !this.#isOver()) {
        if (fleet?.isReady === false) await fleet.ready(this.#patience)
        if (this.#start.skipStorage) await tier.prepare(this.#named, this.#storageSince)
        else if (this.#query.data === undefined && tier.isMissing(this.#named, this.#hasLooked))
          this.#hasLooked = true
        else if (await this.#askStorage(this.#patience)) return
      }
      const asksFleet =
        this.#isStored && !this.#start.skipStorage && fleet !== null && fleet.singleFlight !== null
      if (asksFleet && (await this.#askFleet(this.#patience))) return
      if (this.#predecessor !== undefined) await this.#untilFree()
      await this.#askOrigin()
    } finally {
      this.#leave()
    }
  }

  /** All that it does itself is done. */
  #leave(): void {
    this.#release()
    if (this.#timeout !== null && !this.#isFollowing) this.#env.timers.cancel(this.#timeout)
  }

  follow(next: OngoingFetch): Promise<void> | null {
    if (this.#onGone === null && this.#state === 'over') return this.#isGone ? null : this.gone
    if (this.#state !== 'preparing') return this.gone
    const before = this.#predecessor?.follow(next) ?? null
    if (before !== null) return before
    this.#predecessor = undefined
    const { logger, timers } = this.#env
    const { onSuccess, onError, onSettled } = this.#options
    this.#isFollowing = true
    void next
      .join(undefined)
      .then(
        (data) => {
          this.#resolve(data)
          logger.call('onSuccess', onSuccess, data)
          logger.call('onSettled', onSettled, data, null)
        },
        (error: Error) => {
          this.#reject(error)
          logger.call('onError', onError, error)
          logger.call('onSettled', onSettled, undefined, error)
        },
      )
      .then(() => this.#timeout && timers.cancel(this.#timeout))
    this.#end()
    this.#release()
    return null
  }

  /** Until no other origin call of the key runs, or could begin. */
  async #untilFree(): Promise<void> {
    while (this.#predecessor !== undefined && !this.#isOver()) {
      const before = this.#predecessor.follow(this)
      if (before === null) this.#predecessor = undefined
      else await before
    }
  }

  /** Returns whether that was all. */
  async #askStorage(limit: number): Promise<boolean> {
    return this.#takeStored(
      await (this.#options.validate === undefined ? this.#look(limit) : this.#readStorage(limit)),
    )
  }

  /** Makes of what L2 has what there is to be made of it. Returns whether that was all. */
  #takeStored(found: StoredData | null, moment?: number): boolean {
    const { clock, counters, defaults } = this.#env
    const { staleTime = defaults.staleTime } = this.#options
    const query = this.#query
    if (this.#isOver()) return true
    const isDoubted = this.#isDoubted || this.#isInsistedOn
    const stored = found !== null && isDoubted ? { ...found, isInvalidated: true } : found
    if (stored === null && query.data === undefined) return false
    const now = moment ?? clock.now()
    if (this.#overtaken === null && !this.#isInsistedOn && isFresh(query, staleTime, now)) {
      // The user has set it in the meantime.
      this.#settle(state.fetchSucceeded(query.held))
      return true
    }
    if (stored === null) return false
    const plan = planStored(query, stored, staleTime, now)
    if (plan === 'ignore') return false
    const { data, dataUpdatedAt, isInvalidated, generations } = stored
    if (this.#overtaken === null) query.vouchers = generations
    if (plan === 'settle') {
      const next = state.dataReceived(query, data, 'storage', dataUpdatedAt, isInvalidated, state.AT_REST)
      this.#settle(next, data, now)
      return true
    }
    if (this.#overtaken !== null) return false
    query.update(state.dataReceived(query, data, 'storage', dataUpdatedAt, isInvalidated))
    if (this.#callers === 0) return false
    counters.staleServes += this.#callers
    this.#end()
    this.successor = new Fetch(this.#env, query, this.#options, {
      isBackground: true,
      storageSince: this.#storageSince,
      // Where there are leases, L2 is looked at again under the key's.
      skipStorage: this.#isInsistedOn || this.#env.fleet?.singleFlight === null,
    })
    this.#resolve(data)
    return true
  }

  /** Takes the key's lease, or waits for what its holder brings. Returns whether that was all. */
  async #askFleet(patience: number): Promise<boolean> {
    const { fleet, storageTimeout } = this.#env
    const { hash } = this.#query
    if (fleet === null || fleet.singleFlight === null) return false
    if (this.#isOver()) return true
    const { singleFlight } = fleet
    const startedAt = this.#now()
    const giveUpAt = startedAt + LONGEST_WAIT
    // Waiting for a holder is waiting for the origin; the first claim and the look after it are L2's delay.
    const left = (): number => Math.max(0, startedAt + patience - this.#now())
    for (let look = 0; !this.#isInsistedOn && this.#now() < giveUpAt; look++) {
      const claim = await singleFlight.claim(hash, look === 0 ? patience : storageTimeout)
      if (claim.state === 'held') this.#ticket = claim.ticket
      if (this.#isOver()) {
        this.#giveLeaseUp()
        return true
      }
      if (claim.state === 'none') return false
      // Another may have finished between our look and our claim.
      if (claim.state === 'held') return this.#askStorage(look === 0 ? left() : storageTimeout)
      await singleFlight.change(hash, look)
      if (this.#isOver() || (await this.#askStorage(storageTimeout))) return true
    }
    return false
  }

  /** What L2 knows its query by, worked out when it is first needed; the query where L2 is away and needs no name. */
  get #named(): Keyed {
    const { tier } = this.#env
    if (this.#name === null && tier?.isBlank === false) this.#name = tier.name(this.#query)
    return this.#name ?? this.#query
  }

  /** What is left of the time that L2 may add to this fetch. */
  get #patience(): number {
    return Math.max(0, this.#storageSince + this.#env.storageTimeout - this.#now())
  }

  #now(): number {
    const { clock } = this.#env
    return clock.monotonic?.() ?? clock.now()
  }

  #giveLeaseUp(): void {
    this.#ticket?.release()
    this.#ticket = null
  }

  async #readStorage(limit: number): Promise<StoredData | null> {
    const { tier, logger } = this.#env
    const { validate } = this.#options
    const stored = await this.#look(limit)
    if (stored === null || validate === undefined) return stored
    try {
      return { ...stored, data: await validated(validate, stored.data, this.#query.hash) }
    } catch (error) {
      // A fetch may look twice, at the same data.
      if (!this.#hasRejected) {
        tier?.countRejected()
        logger.warn(`L2 data of ${this.#query.hash} was not used.`, error)
      }
      this.#hasRejected = true
      return null
    }
  }

  #look(limit: number): Promise<StoredData | null> {
    const isAgain = this.#hasLooked
    this.#hasLooked = true
    return this.#env.tier?.read(this.#named, limit, isAgain) ?? Promise.resolve(null)
  }

  async #askOrigin(): Promise<void> {
    const { logger, counters, client, tier, defaults } = this.#env
    const {
      // Who names no function means the one that is known.
      queryFn = this.#query.queryFn ?? undefined,
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
      this.#abort ??= new LazyAbort()
      // What is known of the generations now is known before the call begins, so it may vouch for its result.
      const capture = this.#isStored ? (tier?.capture(this.#named) ?? null) : null
      if (failures === 0) this.#calledAt = this.#env.clock.now()
      counters.originCalls++
      let error: Error
      try {
        let data = await queryFn(
          new FetchContext(query, client as never, meta, query.held, this.#abort) as never,
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
      this.#wait = null
      this.#hold()
    }
  }

  #succeed(data: unknown, capture: Capture | null): void {
    if (this.#isOver()) return
    const { clock, tier, defaults, logger } = this.#env
    const { storage, storageTtl, gcTime, onSuccess, onSettled } = this.#options
    const query = this.#query
    const now = clock.now()
    // The others may go on when L2 has it, not before.
    const ticket = this.#ticket
    this.#ticket = null
    // Others have gone ahead meanwhile, and what they brought is newer, however late this comes.
    if (this.#overtaken === null && ticket?.isLost === true) {
      this.#yield(data)
      logger.call('onSuccess', onSuccess, data)
      logger.call('onSettled', onSettled, data, null)
      ticket.release()
      return
    }
    if (this.#overtaken === 'soft' && query.isCached && query.dataUpdatedAt < this.#calledAt) {
      query.update(state.dataReceived(query, data, 'origin', now, true))
      // Stale it is by the soft one; a removal by a peer is still to be seen.
      query.vouchers = capture
    }
    if (this.#overtaken === null) query.vouchers = capture
    // Before anyone hears of the data: what a listener sets or removes then is newer.
    if (this.#overtaken === null && storage !== false) {
      const ttl = storageTtl ?? gcTime ?? defaults.storageTtl
      ticket?.releaseWithin(this.#env.storageTimeout)
      const onDone = ticket === null ? undefined : (): void => ticket.release()
      tier?.persist(this.#named, data, Math.max(now, query.dataUpdatedAt), ttl, capture, onDone)
    } else {
      ticket?.release()
    }
    this.#settle(state.dataReceived(query, data, 'origin', now, false, state.AT_REST))
    logger.call('onSuccess', onSuccess, data)
    logger.call('onSettled', onSettled, data, null)
  }

  /** Answers its callers, and lets L2 say what the key's data is. */
  #yield(data: unknown): void {
    const query = this.#query
    if (query.dataUpdatedAt >= this.#calledAt) this.#settle(state.fetchSucceeded(query.held), data)
    else this.#settle(state.dataReceived(query, data, 'origin', this.#calledAt, true, state.AT_REST))
    if (!query.isCached || query.fetch !== null) return
    this.successor = new Fetch(this.#env, query, this.#options, { isBackground: true, skipStorage: false })
  }

  /** `data`: what its callers get, where that is not what its query has from now on. */
  #settle(next: state.Held, data = next.data, now?: number): void {
    this.#end()
    this.#detach(next, now)
    this.#resolve(data)
  }

  #fail(error: Error): void {
    if (!this.#end()) return
    const { clock, logger } = this.#env
    const now = clock.now()
    this.#detach(state.fetchFailed(this.#query.held, error, now))
    if (this.#callers === 0) logger.warn(`Background fetch of ${this.#query.hash} failed.`, error)
    this.#reject(error)
    logger.call('onError', this.#options.onError, error)
    logger.call('onSettled', this.#options.onSettled, undefined, error)
  }

  #timeOut(): void {
    const error = new FetchTimeoutError(
      `The fetch of ${this.#query.hash} took longer than its fetchTimeout of ${this.#options.fetchTimeout} ms.`,
    )
    this.#abort?.abort(error)
    this.#fail(error)
    if (this.#isFollowing) this.#reject(error)
    this.#release()
  }

  /** The one way into `over`; `false` = it was there already. */
  #end(): boolean {
    if (this.#state === 'over') return false
    this.#state = 'over'
    // One that departs keeps its time-out: past it, its key is free, whether or not the call heeds its signal.
    if (this.#timeout !== null && this.#onGone === null) this.#env.timers.cancel(this.#timeout)
    if (this.#wait?.alarm) this.#env.timers.cancel(this.#wait.alarm)
    this.#wait?.end()
    this.#giveLeaseUp()
    this.#hold()
    return true
  }

  /** A caller who waits for one of our alarms keeps the process alive; the cache itself does not. */
  #hold(): void {
    const hasAlarm = this.#timeout !== null || (this.#wait !== null && this.#wait.alarm !== null)
    const isHolding = hasAlarm && this.#callers > 0 && this.#state !== 'over'
    if (isHolding === this.#isHolding) return
    this.#isHolding = isHolding
    if (isHolding) this.#env.timers.hold()
    else this.#env.timers.release()
  }

  /** Leaves the query, which changes to `next`; a fetch that was overtaken has left it long ago. */
  #detach(next: state.Held, now?: number): void {
    const query = this.#query
    if (query.fetch !== this) return
    query.fetch = null
    query.update(next)
    this.#env.cache.settleDown(query, now)
  }

  /** Lets the next fetch of the key wait until this one's origin call has really ended. */
  #depart(): void {
    const { departing } = this.#env
    const { hash } = this.#query
    this.gone = new Promise((resolve) => {
      this.#onGone = resolve
    })
    departing.set(hash, this)
    void this.gone.then(() => {
      this.#isGone = true
      if (departing.get(hash) === this) departing.delete(hash)
    })
  }

  /** Its key is free for the next fetch, as soon as it is free of those before this one. */
  #release(): void {
    if (this.#onGone === null) return
    if (this.#predecessor === undefined) this.#onGone()
    else void this.#predecessor.gone.then(this.#onGone)
    this.#onGone = null
  }

  get #isWanted(): boolean {
    if (this.#isExpected || this.#callers > 0) return true
    const { isObserved } = this.#query
    if (this.#overtaken === null) return this.#start.isBackground || isObserved
    return this.#overtaken === 'soft' && isObserved
  }

  #cancelIfOvertaken(): void {
    if (this.#isWanted) return
    this.#abandon(new CancelledError(`The fetch of ${this.#query.hash} was overtaken by an invalidation.`))
  }

  #cancelIfUnwanted(): void {
    if (this.#isWanted) return
    this.#abandon(
      new CancelledError(`The fetch of ${this.#query.hash} was aborted: its last caller has left.`),
    )
  }

  #isOver(): boolean {
    return this.#state === 'over'
  }

  #pause(delay: number): Promise<void> {
    return new Promise((resolve) => {
      this.#wait = { alarm: this.#env.timers.after(delay, resolve), end: resolve }
      this.#hold()
    })
  }

  async #untilResumed(): Promise<void> {
    const query = this.#query
    if (query.fetch === this) query.update(state.fetchPaused(query.held))
    await new Promise<void>((resolve) => {
      this.#wait = { alarm: null, end: resolve }
    })
  }
}

function ignore(): void {}

const GONE = Promise.resolve()
