/**
 * The one door to a backend: nothing else calls it.
 *
 * Every call has a deadline, is counted, and yields an outcome, never an exception. A call that passes its
 * deadline opens the circuit at once, since the next caller would wait as long. Errors cost a caller nothing;
 * after `FAILURES_TO_SUSPECT` of one operation in a row a probe decides whether the store is away or only what was
 * written is at fault. A deadline that comes late says that this process stood still, not that the store does: the
 * answer may lie here unread, so as much time again is given, at most another `timeout`. While the circuit is open no call is made but the probes, which no caller waits for: a
 * write and a read of a key of their own, so that a store that cannot be written to counts as away too.
 *
 * At most `MAX_IN_FLIGHT` calls are under way; those that passed their deadline without an answer count on until
 * they are answered, or until a probe has shown that the store works again.
 *
 * Owns the probe's alarm and the deadlines' (all on the client's one timer). `close()` ends the probing.
 */

import { StorageError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { Awaitable, StorageBackend } from '../ports/storage.ts'
import { CircuitBreaker } from '../resilience/circuit-breaker.ts'
import type { SafeLogger } from '../resilience/safe-logger.ts'
import type { Alarm, TimerQueue } from '../resilience/timer-queue.ts'
import { LatencyMeter, type OperationStats } from './latency-meter.ts'

export const MAX_IN_FLIGHT = 1_000
export const FAILURES_TO_SUSPECT = 3
const PROBE_TTL = 60_000
/** An alarm so many milliseconds late tells of a process that stood still. */
const STALLED = 5

export type StorageOperation = 'get' | 'set' | 'delete' | 'append' | 'lease'

const OPERATIONS = ['get', 'set', 'delete', 'append', 'lease'] as const

/** `refused`: the circuit is open, too much is in flight, or the guard is closed; the backend was not called. */
export type Outcome<T> =
  | { readonly isOk: true; readonly value: T }
  | { readonly isOk: false; readonly reason: 'refused' | 'timeout' | 'failure'; readonly error: StorageError }

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
  readonly #meters = forEachOperation(() => new LatencyMeter())
  #inFlight = 0
  /** Calls made before the last recovery: they no longer count. */
  #era = 0
  #refused = 0
  #outages = 0
  #lastNoted = 0
  #failuresInARow = forEachOperation(() => 0)
  #isSuspected = false
  #probe: Alarm | null = null
  #isClosed = false

  constructor(settings: GuardSettings) {
    this.backend = settings.backend
    this.timeout = settings.timeout
    this.#settings = settings
    this.#breaker = new CircuitBreaker(settings.random)
  }

  /** Calls are let through. */
  get isOpenForCalls(): boolean {
    return this.#breaker.state.name === 'closed' && !this.#isClosed
  }

  /** `onLate`: called if the answer comes after the deadline has passed. */
  run<T>(operation: StorageOperation, call: () => Awaitable<T>, onLate?: () => void): Promise<Outcome<T>> {
    if (!this.isOpenForCalls || this.#inFlight >= MAX_IN_FLIGHT) {
      this.#refused++
      return Promise.resolve(refusal())
    }
    return this.#call(
      operation,
      call,
      (outcome) => {
        if (outcome.isOk) this.#failuresInARow[operation] = 0
        else if (outcome.reason === 'timeout') this.#open(operation, outcome.error)
        else if (++this.#failuresInARow[operation] >= FAILURES_TO_SUSPECT)
          void this.#suspect(operation, outcome.error)
      },
      onLate,
    )
  }

  /** A call that was made and answered at once, as fast as the last such one where nothing else is said. */
  note(operation: StorageOperation, latency = this.#lastNoted): void {
    this.#lastNoted = latency
    this.#meters[operation].record(latency, 'ok')
  }

  stats(): GuardStats {
    return {
      circuit: this.#breaker.state.name,
      outages: this.#outages,
      inFlight: this.#inFlight,
      refused: this.#refused,
      operations: forEachOperation((operation) => this.#meters[operation].stats()),
    }
  }

  close(): void {
    this.#isClosed = true
    if (this.#probe !== null) this.#settings.timers.cancel(this.#probe)
  }

  #call<T>(
    operation: StorageOperation,
    call: () => Awaitable<T>,
    judge: (outcome: Outcome<T>) => void,
    onLate?: () => void,
  ): Promise<Outcome<T>> {
    const { clock, timers, timeout } = this.#settings
    const meter = this.#meters[operation]
    const startedAt = clock.monotonic?.() ?? clock.now()
    const elapsed = (): number => (clock.monotonic?.() ?? clock.now()) - startedAt
    const era = this.#era
    this.#inFlight++
    return new Promise((resolve) => {
      let isSettled = false
      const settle = (outcome: Outcome<T>): void => {
        if (isSettled) return
        isSettled = true
        timers.cancel(deadline)
        meter.record(elapsed(), outcome.isOk ? 'ok' : outcome.reason)
        judge(outcome)
        resolve(outcome)
      }
      const answered = (outcome: Outcome<T>): void => {
        if (era === this.#era) this.#inFlight--
        if (isSettled) onLate?.()
        else settle(outcome)
      }
      const expire = (): void => {
        const late = elapsed() - allowed
        if (late < STALLED) {
          settle(failed('timeout', `L2 ${operation} did not answer within ${timeout} ms.`, undefined))
          return
        }
        const more = Math.min(late, timeout)
        allowed = elapsed() + more
        deadline = timers.after(more, expire)
      }
      let allowed = timeout
      let deadline = timers.after(timeout, expire)
      const failure = (cause: unknown): void => {
        const message = cause instanceof Error ? cause.message : String(cause)
        answered(failed('failure', `L2 ${operation} failed: ${message}`, cause))
      }
      try {
        Promise.resolve(call()).then((value) => answered({ isOk: true, value }), failure)
      } catch (cause) {
        failure(cause)
      }
    })
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
    this.#failuresInARow[operation] = 0
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
    this.#era++
    this.#inFlight = 0
    logger.info(`L2 is back after ${Math.round(outage)} ms; ${onRecovered()}.`)
  }

  /** Whether the store takes a write and gives an answer. */
  async #ask(): Promise<boolean> {
    const { backend, probeKey } = this.#settings
    const ignore = (): void => {}
    const written = await this.#call('set', () => backend.set(probeKey, '1', PROBE_TTL), ignore)
    if (!written.isOk) return false
    return (await this.#call('get', () => backend.get(probeKey), ignore)).isOk
  }
}

function forEachOperation<T>(make: (operation: StorageOperation) => T): Record<StorageOperation, T> {
  return Object.fromEntries(OPERATIONS.map((operation) => [operation, make(operation)])) as Record<
    StorageOperation,
    T
  >
}

function failed(reason: 'timeout' | 'failure', message: string, cause: unknown): Outcome<never> {
  const code = reason === 'timeout' ? 'STORAGE_TIMEOUT' : 'STORAGE_FAILED'
  return { isOk: false, reason, error: new StorageError(code, message, { cause }) }
}

function refusal(): Outcome<never> {
  const error = new StorageError('STORAGE_UNAVAILABLE', 'L2 is away; it was not asked.')
  return { isOk: false, reason: 'refused', error }
}
