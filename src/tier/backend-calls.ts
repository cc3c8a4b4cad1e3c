/**
 * The calls of a backend that are under way, each with its deadline.
 *
 * Every call yields an outcome, never an exception, and is counted. One that passes its deadline has timed out then, and
 * counts as under way until it is answered, or until `forget`. A deadline that comes late says that this process stood
 * still, not that the store does: the answer may lie here unread, so as much time again is given, at most another
 * `timeout`. Owns the deadlines, on the client's one timer.
 */

import { StorageError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { Awaitable } from '../ports/storage.ts'
import type { TimerQueue } from '../resilience/timer-queue.ts'
import { Deadlines, type Group, type Waiter } from './deadlines.ts'
import { LatencyMeter, type OperationStats } from './latency-meter.ts'

/** An alarm so many milliseconds late tells of a process that stood still. */
const STALLED = 5

export type StorageOperation = 'get' | 'set' | 'delete' | 'append' | 'lease'

const OPERATIONS = ['get', 'set', 'delete', 'append', 'lease'] as const

/** `refused`: the circuit is open, too much is in flight, or the guard is closed; the backend was not called. */
export type Outcome<T> =
  | { readonly isOk: true; readonly value: T }
  | { readonly isOk: false; readonly reason: 'refused' | 'timeout' | 'failure'; readonly error: StorageError }

/** A call of the backend, and who hears of its outcome. */
export interface GuardedTask<T> {
  call(): Awaitable<T>
  /** Throws where the answer is none: the call has failed then. */
  check?(answer: T): void
  /**
   * Told once, later: neither before whoever began it goes on, nor amid other alarms. `at`: the monotonic moment of the
   * outcome; none where it was refused.
   */
  done(outcome: Outcome<T>, at?: number): void
  /** The answer has come after the deadline had passed. */
  late?: (() => void) | undefined
}

/** Hears of an outcome before the task does. */
export type Judge = (operation: StorageOperation, outcome: Outcome<unknown>) => void

export interface CallsSettings {
  readonly clock: Clock
  readonly timers: TimerQueue
  /** Milliseconds until a call counts as hung. */
  readonly timeout: number
}

export class BackendCalls {
  /** Calls that count as under way. */
  underWay = 0
  readonly #settings: CallsSettings
  readonly #deadlines: Deadlines
  readonly #meters = forEachOperation(() => new LatencyMeter())
  /** Calls of an earlier one no longer count. */
  #era = 0
  #lastNoted = 0
  readonly #onDeadline = (call: Call): void => this.#expire(call)

  constructor(settings: CallsSettings) {
    this.#settings = settings
    // They hold no process: who waits for L2 has a deadline of its own.
    this.#deadlines = new Deadlines(settings.timers, () => this.#now(), false)
  }

  /** `size`: how many calls of the backend it is. */
  begin<T>(operation: StorageOperation, task: GuardedTask<T>, judge: Judge | null, size = 1): void {
    const startedAt = this.#now()
    const { timeout } = this.#settings
    const call = new Call(
      operation,
      task as GuardedTask<unknown>,
      judge,
      size,
      this.#era,
      startedAt,
      timeout,
      this.#onDeadline,
    )
    this.underWay += size
    this.#deadlines.wait(timeout, call, startedAt)
    let answer: Promise<T>
    try {
      answer = Promise.resolve(task.call())
    } catch (cause) {
      answer = Promise.reject(cause)
    }
    answer.then(
      (value) => this.#answered(call, outcomeOf(operation, task, value)),
      (cause: unknown) => this.#answered(call, failureOf(operation, cause)),
    )
  }

  /** Calls that were begun before no longer count. */
  forget(): void {
    this.#era++
    this.underWay = 0
  }

  /** A call that was made and answered at once, as fast as the last such one where nothing else is said. */
  note(operation: StorageOperation, latency = this.#lastNoted): void {
    this.#lastNoted = latency
    this.#meters[operation].record(latency, 'ok')
  }

  stats(): Record<StorageOperation, OperationStats> {
    return forEachOperation((operation) => this.#meters[operation].stats())
  }

  #answered(call: Call, outcome: Outcome<unknown>): void {
    if (call.era === this.#era) this.underWay -= call.size
    if (call.isSettled) {
      call.task.late?.()
      return
    }
    this.#deadlines.leave(call)
    call.task.done(outcome, this.#settle(call, outcome))
  }

  #expire(call: Call): void {
    const { timeout } = this.#settings
    const elapsed = this.#now() - call.startedAt
    const late = elapsed - call.allowed
    if (late < STALLED) {
      const outcome = failed(
        'timeout',
        `L2 ${call.operation} did not answer within ${timeout} ms.`,
        undefined,
      )
      const at = this.#settle(call, outcome)
      queueMicrotask(() => call.task.done(outcome, at))
      return
    }
    const more = Math.min(late, timeout)
    call.allowed = elapsed + more
    this.#deadlines.wait(more, call)
  }

  /** Returns when. */
  #settle(call: Call, outcome: Outcome<unknown>): number {
    const { operation, judge, startedAt } = call
    const now = this.#now()
    call.isSettled = true
    this.#meters[operation].record(now - startedAt, outcome.isOk ? 'ok' : outcome.reason)
    judge?.(operation, outcome)
    return now
  }

  #now(): number {
    const { clock } = this.#settings
    return clock.monotonic?.() ?? clock.now()
  }
}

class Call implements Waiter {
  readonly operation: StorageOperation
  readonly task: GuardedTask<unknown>
  readonly judge: Judge | null
  readonly size: number
  readonly era: number
  readonly startedAt: number
  /** Milliseconds that it may take. */
  allowed: number
  isSettled = false
  group: Group | null = null
  next: Waiter | null = null
  previous: Waiter | null = null
  readonly #onDeadline: (call: Call) => void

  constructor(
    operation: StorageOperation,
    task: GuardedTask<unknown>,
    judge: Judge | null,
    size: number,
    era: number,
    startedAt: number,
    allowed: number,
    onDeadline: (call: Call) => void,
  ) {
    this.operation = operation
    this.task = task
    this.judge = judge
    this.size = size
    this.era = era
    this.startedAt = startedAt
    this.allowed = allowed
    this.#onDeadline = onDeadline
  }

  giveUp(): void {
    this.#onDeadline(this)
  }
}

function forEachOperation<T>(make: (operation: StorageOperation) => T): Record<StorageOperation, T> {
  return Object.fromEntries(OPERATIONS.map((operation) => [operation, make(operation)])) as Record<
    StorageOperation,
    T
  >
}

function outcomeOf<T>(operation: StorageOperation, task: GuardedTask<T>, value: T): Outcome<T> {
  try {
    task.check?.(value)
    return { isOk: true, value }
  } catch (cause) {
    return failureOf(operation, cause)
  }
}

function failureOf(operation: StorageOperation, cause: unknown): Outcome<never> {
  const message = cause instanceof Error ? cause.message : String(cause)
  return failed('failure', `L2 ${operation} failed: ${message}`, cause)
}

function failed(reason: 'timeout' | 'failure', message: string, cause: unknown): Outcome<never> {
  const code = reason === 'timeout' ? 'STORAGE_TIMEOUT' : 'STORAGE_FAILED'
  return { isOk: false, reason, error: new StorageError(code, message, { cause }) }
}
