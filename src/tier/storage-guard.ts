/**
 * The one door to a backend: nothing else calls it.
 *
 * A call that passes its deadline opens the circuit at once, since the next caller would wait as long. Errors cost a caller
 * nothing; after `FAILURES_TO_SUSPECT` of one operation in a row a probe decides whether the store is away or only what was
 * written is at fault. While the circuit is open no call is made but the probes, which no caller waits for: a
 * write and a read of a key of their own, so that a store that cannot be written to counts as away too.
 *
 * At most `MAX_IN_FLIGHT` calls are under way; those that passed their deadline without an answer count on until
 * they are answered, or until a probe has shown that the store works again.
 *
 * Owns the probe's alarm (on the client's one timer) and the calls under way. `close()` ends the probing.
 */

import { StorageError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { Awaitable, StorageBackend } from '../ports/storage.ts'
import { CircuitBreaker } from '../resilience/circuit-breaker.ts'
import type { SafeLogger } from '../resilience/safe-logger.ts'
import type { Alarm, TimerQueue } from '../resilience/timer-queue.ts'
import { BackendCalls, type GuardedTask, type Outcome, type StorageOperation } from './backend-calls.ts'
import type { OperationStats } from './latency-meter.ts'

export const MAX_IN_FLIGHT = 1_000
export const FAILURES_TO_SUSPECT = 3
const PROBE_TTL = 60_000

export interface GuardSettings {
  readonly backend: StorageBackend
  readonly clock: Clock
  readonly timers: TimerQueue
  readonly logger: SafeLogger
  /** Milliseconds until a call counts as hung. */
  readonly timeout: number
  readonly probeKey: string
  readonly random: () => number
  /** The circuit has opened: nobody is to wait for L2 any longer. */
  readonly onOpened: () => void
  /** The circuit has closed; returns what is to be said about it. */
  readonly onRecovered: () => string
}

export interface GuardStats {
  circuit: 'closed' | 'open' | 'probing'
  /** How often the circuit has opened. */
  outages: number
  inFlight: number
  refused: number
  operations: Record<StorageOperation, OperationStats>
}

export class StorageGuard {
  readonly backend: StorageBackend
  /** Milliseconds until a call counts as hung. */
  readonly timeout: number
  readonly #settings: GuardSettings
  readonly #breaker: CircuitBreaker
  readonly #calls: BackendCalls
  #refused = 0
  #outages = 0
  /** Of those operations that failed last. */
  readonly #failuresInARow = new Map<StorageOperation, number>()
  #isSuspected = false
  #probe: Alarm | null = null
  #isClosed = false

  constructor(settings: GuardSettings) {
    this.backend = settings.backend
    this.timeout = settings.timeout
    this.#settings = settings
    this.#breaker = new CircuitBreaker(settings.random)
    this.#calls = new BackendCalls(settings)
  }

  /** Calls are let through. */
  get isOpenForCalls(): boolean {
    return this.#breaker.state.name === 'closed' && !this.#isClosed
  }

  /** `onLate`: called if the answer comes after the deadline has passed. */
  run<T>(operation: StorageOperation, call: () => Awaitable<T>, onLate?: () => void): Promise<Outcome<T>> {
    return new Promise((done) => this.start(operation, { call, done, late: onLate }))
  }

  /** `run` of what calls the backend `size` times at once: all of them are let through, or none. */
  runMany<T>(operation: StorageOperation, call: () => Awaitable<T>, size: number): Promise<Outcome<T>> {
    return new Promise((done) => this.start(operation, { call, done }, size))
  }

  /** `run` without a promise. */
  start<T>(operation: StorageOperation, task: GuardedTask<T>, size = 1): void {
    if (this.isOpenForCalls && this.#calls.underWay + size <= MAX_IN_FLIGHT) {
      this.#calls.begin(operation, task, this.#judge, size)
      return
    }
    this.#refused++
    queueMicrotask(() => task.done(refusal()))
  }

  /** A call that was made and answered at once, as fast as the last such one where nothing else is said. */
  note(operation: StorageOperation, latency?: number): void {
    this.#calls.note(operation, latency)
  }

  stats(): GuardStats {
    return {
      circuit: this.#breaker.state.name,
      outages: this.#outages,
      inFlight: this.#calls.underWay,
      refused: this.#refused,
      operations: this.#calls.stats(),
    }
  }

  close(): void {
    this.#isClosed = true
    if (this.#probe !== null) this.#settings.timers.cancel(this.#probe)
  }

  #judge = (operation: StorageOperation, outcome: Outcome<unknown>): void => {
    if (outcome.isOk) {
      if (this.#failuresInARow.size > 0) this.#failuresInARow.delete(operation)
    } else if (outcome.reason === 'timeout') {
      this.#open(operation, outcome.error)
    } else {
      const failures = (this.#failuresInARow.get(operation) ?? 0) + 1
      this.#failuresInARow.set(operation, failures)
      if (failures >= FAILURES_TO_SUSPECT) void this.#suspect(operation, outcome.error)
    }
  }

  #open(operation: StorageOperation, error: StorageError): void {
    const { clock, logger } = this.#settings
    if (this.#isClosed || !this.#breaker.open(clock.now())) return
    this.#outages++
    logger.warn(`L2 is away (${operation}); going on with L1 alone.`, error)
    this.#scheduleProbe()
    this.#settings.onOpened()
  }

  async #suspect(operation: StorageOperation, error: StorageError): Promise<void> {
    if (this.#isSuspected) return
    this.#isSuspected = true
    const isGood = await this.#ask()
    this.#isSuspected = false
    this.#failuresInARow.delete(operation)
    if (!isGood) this.#open(operation, error)
  }

  #scheduleProbe(): void {
    const { state } = this.#breaker
    if (state.name !== 'open' || this.#isClosed) return
    this.#probe = this.#settings.timers.after(state.pause, () => void this.#runProbe())
  }

  async #runProbe(): Promise<void> {
    const { clock, logger, onRecovered } = this.#settings
    this.#breaker.startProbe()
    const isGood = await this.#ask()
    if (this.#isClosed) return
    const outage = this.#breaker.endProbe(isGood, clock.now())
    if (outage === null) {
      this.#scheduleProbe()
      return
    }
    this.#calls.forget()
    logger.info(`L2 is back after ${Math.round(outage)} ms; ${onRecovered()}.`)
  }

  /** Whether the store takes a write and gives an answer. */
  async #ask(): Promise<boolean> {
    const { backend, probeKey } = this.#settings
    const isWritten = await this.#try('set', () => backend.set(probeKey, '1', PROBE_TTL))
    return isWritten && (await this.#try('get', () => backend.get(probeKey)))
  }

  #try(operation: StorageOperation, call: () => Awaitable<unknown>): Promise<boolean> {
    return new Promise((resolve) => {
      this.#calls.begin(operation, { call, done: ({ isOk }) => resolve(isOk) }, null)
    })
  }
}

function refusal(): Outcome<never> {
  const error = new StorageError('STORAGE_UNAVAILABLE', 'L2 is away; it was not asked.')
  return { isOk: false, reason: 'refused', error }
}
