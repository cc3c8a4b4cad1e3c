/**
 * Time that moves only when a test says so.
 *
 * Invariants: `now()` never goes back; timers run in the order of their instant, then of their creation; each
 * runs at its own instant, and everything it set in motion has settled before the next one runs. Calls of
 * `advance` and `settle` queue behind one another.
 * Timers: none real; what is pending is a plain map, garbage with the clock. Nothing to close.
 * May import the clock port and the errors.
 */

import { InvalidOptionError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'

/** 2024-01-01T00:00:00Z */
const DEFAULT_START = 1_704_067_200_000

/** So many timers at one instant mean a timer that sets itself again with no delay: better an error than a hang. */
const MAX_TIMERS_AT_ONE_INSTANT = 100_000

const DRAIN_ROUNDS = 3

export interface VirtualClockOptions {
  /** The first `now()`, epoch milliseconds. @default 1_704_067_200_000 (2024-01-01T00:00:00Z) */
  readonly start?: number | undefined
  /**
   * Waits until everything that can go on without time has gone on; called before the first timer, after each
   * one, and at the end. The default hops three times through the real event loop, which settles promise
   * chains of any depth. Code under test that does real I/O needs one of its own, such as a longer wait.
   */
  readonly drain?: (() => Promise<void>) | undefined
}

/** A clock that shares another's timers and instants, and tells them wrong by `skew` milliseconds. */
export interface SkewedClock extends Clock {
  /** May be changed at any time, as an NTP correction or an operator does. */
  skew: number
}

interface Timer {
  readonly at: number
  readonly callback: () => void
}

export class VirtualClock implements Clock {
  readonly #drain: () => Promise<void>
  readonly #timers = new Map<number, Timer>()
  #now: number
  #lastHandle = 0
  #moving: Promise<void> = Promise.resolve()

  /** @throws InvalidOptionError (`INVALID_OPTION`) where `start` is not a finite number. */
  constructor(options: VirtualClockOptions = {}) {
    const { start = DEFAULT_START, drain = drainEventLoop } = options
    if (!Number.isFinite(start)) {
      throw new InvalidOptionError(`start: expected epoch milliseconds, got ${String(start)}`)
    }
    this.#now = start
    this.#drain = drain
  }

  now(): number {
    return this.#now
  }

  /** A delay of `Infinity` is kept and never due; a negative one or NaN counts as 0. */
  setTimeout(callback: () => void, delay: number): unknown {
    this.#lastHandle += 1
    this.#timers.set(this.#lastHandle, { at: this.#now + Math.max(delay || 0, 0), callback })
    return this.#lastHandle
  }

  clearTimeout(handle: unknown): void {
    this.#timers.delete(handle as number)
  }

  /** How many timers wait, those at `Infinity` included. */
  get pendingTimers(): number {
    return this.#timers.size
  }

  /**
   * Moves time on by `milliseconds`, running what becomes due on the way, timers set meanwhile included.
   * Rejects with the first error that a timer's callback throws; time then stands at that timer's instant.
   * What a timer's callback awaits must not be another `advance`: that one queues behind this.
   * @throws InvalidOptionError (`INVALID_OPTION`) where `milliseconds` is negative or not finite.
   */
  async advance(milliseconds: number): Promise<void> {
    if (!(milliseconds >= 0 && milliseconds < Infinity)) {
      throw new InvalidOptionError(`advance: expected 0 or more milliseconds, got ${String(milliseconds)}`)
    }
    await this.#enqueue(() => this.#moveTo(this.#now + milliseconds))
  }

  /** Lets everything go on that needs no time. Timers that are due already (delay 0) stay for `advance(0)`. */
  async settle(): Promise<void> {
    await this.#enqueue(this.#drain)
  }

  /** Another worker's view of the same time: same timers, `now()` off by `skew` milliseconds. */
  skewed(skew: number): SkewedClock {
    const clock: SkewedClock = {
      skew,
      now: () => this.#now + clock.skew,
      setTimeout: (callback, delay) => this.setTimeout(callback, delay),
      clearTimeout: (handle) => this.clearTimeout(handle),
    }
    return clock
  }

  #enqueue(step: () => Promise<void>): Promise<void> {
    const done = this.#moving.then(step)
    // A failed step is its own caller's to hear of; the next one goes on.
    this.#moving = done.catch(() => {})
    return done
  }

  async #moveTo(target: number): Promise<void> {
    let ranHere = 0
    await this.#drain()
    for (let next = this.#nextDue(target); next !== undefined; next = this.#nextDue(target)) {
      const [handle, timer] = next
      ranHere = timer.at > this.#now ? 1 : ranHere + 1
      if (ranHere > MAX_TIMERS_AT_ONE_INSTANT) {
        throw new Error(`${ranHere} timers ran at ${this.#now}: a timer sets itself again with no delay`)
      }
      this.#now = Math.max(this.#now, timer.at)
      this.#timers.delete(handle)
      timer.callback()
      await this.#drain()
    }
    this.#now = target
  }

  #nextDue(target: number): [number, Timer] | undefined {
    let next: [number, Timer] | undefined
    for (const entry of this.#timers) {
      if (entry[1].at <= target && (next === undefined || entry[1].at < next[1].at)) next = entry
    }
    return next
  }
}

// Taken at load: a test runner's fake timers must not stop virtual time.
const realSetImmediate = globalThis.setImmediate as typeof setImmediate | undefined
const RealMessageChannel = globalThis.MessageChannel as unknown as new () => {
  port1: { onmessage: unknown; close(): void }
  port2: { postMessage(message: unknown): void }
}

async function drainEventLoop(): Promise<void> {
  for (let round = 0; round < DRAIN_ROUNDS; round += 1) await hop()
}

/** One turn of the event loop; all microtasks have run when it resolves. */
function hop(): Promise<void> {
  return new Promise((resolve) => {
    if (realSetImmediate !== undefined) {
      realSetImmediate(() => resolve())
      return
    }
    const { port1, port2 } = new RealMessageChannel()
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(0)
  })
}
