/**
 * Any number of alarms over one timer of the clock.
 *
 * Invariants: at most one timer of the clock is armed, for the earliest alarm or an earlier moment; alarms ring
 * in the order of their due times, then of their making; a cancelled alarm never rings. Cancelling only marks,
 * so that the common "set a deadline, finish long before it" costs no timer operation; marked alarms leave when
 * they reach the top, or all at once when they outnumber the living.
 *
 * The timer keeps the process alive only while somebody `hold`s: who awaits an attempt that is still to come, say,
 * must get it, and a process with nothing but caches to look after must be able to end.
 *
 * Owns that one timer; `close()` ends it. Due times are monotonic, so that a step of the wall clock moves no
 * deadline. Knows nothing of queries.
 */

import type { Clock } from '../ports/clock.ts'

/** The most that a timer of the platform can wait. */
const LONGEST_TIMER = 2 ** 31 - 1

export class Alarm {
  readonly due: number
  readonly order: number
  /** `null` once it rang or was cancelled. */
  ring: (() => void) | null

  constructor(due: number, order: number, ring: () => void) {
    this.due = due
    this.order = order
    this.ring = ring
  }
}

export class TimerQueue {
  readonly #clock: Clock
  #heap: Alarm[] = []
  #cancelled = 0
  #made = 0
  #timer: unknown
  #armedFor = Number.POSITIVE_INFINITY
  #isClosed = false
  readonly #sleepers = new Set<() => void>()
  #holds = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Alarms that are still to ring. */
  get size(): number {
    return this.#heap.length - this.#cancelled
  }

  /** Calls `ring` once after `delay` milliseconds; never, where `delay` is `Infinity` or the queue is closed. */
  after(delay: number, ring: () => void): Alarm {
    const alarm = new Alarm(this.#now() + delay, this.#made++, ring)
    if (delay === Number.POSITIVE_INFINITY || this.#isClosed) return alarm
    push(this.#heap, alarm)
    if (alarm.due < this.#armedFor) this.#arm(alarm.due)
    return alarm
  }

  cancel(alarm: Alarm): void {
    if (alarm.ring === null) return
    alarm.ring = null
    if (alarm.due === Number.POSITIVE_INFINITY || this.#isClosed) return
    this.#cancelled++
    if (this.#cancelled > 64 && this.#cancelled * 2 > this.#heap.length) this.#sweep()
  }

  /** Settles after `delay` milliseconds, or when the queue is closed; the continuation keeps the caller's async context. */
  sleep(delay: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#isClosed) {
        resolve()
        return
      }
      const wake = (): void => {
        this.#sleepers.delete(wake)
        resolve()
      }
      this.#sleepers.add(wake)
      this.after(delay, wake)
    })
  }

  /** From here to its `release` the process must not end before the alarms that somebody waits for. */
  hold(): void {
    if (++this.#holds === 1 && this.#timer !== undefined) this.#clock.keepAlive?.(this.#timer, true)
  }

  release(): void {
    if (--this.#holds === 0 && this.#timer !== undefined) this.#clock.keepAlive?.(this.#timer, false)
  }

  close(): void {
    this.#isClosed = true
    for (const wake of [...this.#sleepers]) wake()
    this.#heap = []
    this.#cancelled = 0
    this.#disarm()
  }

  #now(): number {
    return this.#clock.monotonic?.() ?? this.#clock.now()
  }

  #arm(due: number): void {
    this.#disarm()
    this.#armedFor = due
    const delay = Math.min(Math.max(0, Math.ceil(due - this.#now())), LONGEST_TIMER)
    this.#timer = this.#clock.setTimeout(this.#fire, delay)
    if (this.#holds > 0) this.#clock.keepAlive?.(this.#timer, true)
  }

  #disarm(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
    this.#armedFor = Number.POSITIVE_INFINITY
  }

  #fire = (): void => {
    this.#timer = undefined
    this.#armedFor = Number.POSITIVE_INFINITY
    const now = this.#now()
    // One that is made while others ring waits for the next timer: an alarm that sets itself again must not hold the
    // event loop, however short its delay.
    const made = this.#made
    try {
      for (let top = this.#heap[0]; top !== undefined; top = this.#heap[0]) {
        if (top.ring === null) {
          this.#cancelled--
        } else if (top.due > now || top.order >= made) {
          break
        }
        pop(this.#heap)
        const ring = top.ring
        top.ring = null
        ring?.()
      }
    } finally {
      const next = this.#heap[0]
      if (next !== undefined && next.due < this.#armedFor) this.#arm(next.due)
    }
  }

  #sweep(): void {
    const living = this.#heap.filter((alarm) => alarm.ring !== null)
    this.#heap = []
    this.#cancelled = 0
    for (const alarm of living) push(this.#heap, alarm)
  }
}

function isBefore(a: Alarm, b: Alarm): boolean {
  return a.due === b.due ? a.order < b.order : a.due < b.due
}

function push(heap: Alarm[], alarm: Alarm): void {
  let at = heap.length
  while (at > 0) {
    const parent = (at - 1) >> 1
    const above = heap[parent] as Alarm
    if (!isBefore(alarm, above)) break
    heap[at] = above
    at = parent
  }
  heap[at] = alarm
}

function pop(heap: Alarm[]): void {
  const last = heap.pop() as Alarm
  if (heap.length === 0) return
  let at = 0
  for (;;) {
    let child = 2 * at + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && isBefore(heap[child + 1] as Alarm, heap[child] as Alarm)) child++
    if (!isBefore(heap[child] as Alarm, last)) break
    heap[at] = heap[child] as Alarm
    at = child
  }
  heap[at] = last
}
