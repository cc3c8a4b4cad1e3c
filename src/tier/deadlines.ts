/**
 * Those who wait for L2, each until its deadline. Deadlines of one millisecond share an alarm: they ring at its beginning, so
 * nobody waits longer than it said. The last of them is kept when nobody waits for it any longer, and serves the next to
 * come: its alarm may ring too early then, and is set again.
 *
 * A waiter waits until `leave` or its deadline or `endAll`, whichever comes first, and then is told nothing any more.
 * Holds the process while anybody waits, if it is to. Owns its alarms.
 */

import type { Alarm, TimerQueue } from '../resilience/timer-queue.ts'

export interface Group {
  due: number
  alarm: Alarm
  first: Waiter | null
  last: Waiter | null
}

/** It waits at most once. Where, and between whom, is for `Deadlines` alone. */
export interface Waiter {
  group: Group | null
  next: Waiter | null
  previous: Waiter | null
  giveUp(): void
}

export class Deadlines {
  readonly #timers: TimerQueue
  readonly #now: () => number
  readonly #isHolding: boolean
  /** All but the last. */
  readonly #groups = new Map<number, Group>()
  #last: Group | null = null
  #waiting = 0

  /** `now`: milliseconds that never step back. `isHolding`: the process must not end while anybody waits. */
  constructor(timers: TimerQueue, now: () => number, isHolding = true) {
    this.#timers = timers
    this.#now = now
    this.#isHolding = isHolding
  }

  /** Tells it to give up after `limit` milliseconds from `now` on, unless it has left. */
  wait(limit: number, waiter: Waiter, now = this.#now()): void {
    const due = Math.floor(now + limit)
    const group =
      this.#last?.due === due ? this.#last : (this.#groups.get(due) ?? this.#begin(due, due - now))
    waiter.group = group
    waiter.previous = group.last
    if (group.last === null) group.first = waiter
    else group.last.next = waiter
    group.last = waiter
    if (++this.#waiting === 1 && this.#isHolding) this.#timers.hold()
  }

  /** `false` = it has been told to give up. */
  leave(waiter: Waiter): boolean {
    const { group, next, previous } = waiter
    if (group === null) return false
    waiter.group = null
    waiter.next = null
    waiter.previous = null
    if (previous === null) group.first = next
    else previous.next = next
    if (next === null) group.last = previous
    else next.previous = previous
    if (group.first === null && group !== this.#last) this.#end(group)
    if (--this.#waiting === 0 && this.#isHolding) this.#timers.release()
    return true
  }

  endAll(): void {
    for (const group of [...this.#groups.values()]) this.#ring(group)
    if (this.#last !== null) this.#ring(this.#last)
  }

  #begin(due: number, delay: number): Group {
    const last = this.#last
    if (last !== null && last.first === null && last.due < due) {
      last.due = due
      return last
    }
    if (last !== null && last.first !== null) this.#groups.set(last.due, last)
    else if (last !== null) this.#timers.cancel(last.alarm)
    const group: Group = {
      due,
      alarm: this.#timers.after(delay, () => this.#wake(group)),
      first: null,
      last: null,
    }
    this.#last = group
    return group
  }

  /** One that nobody waits for just now ends: an idle client is not woken again for it. */
  #wake(group: Group): void {
    const early = group.due - this.#now()
    if (early > 0 && group.first !== null) group.alarm = this.#timers.after(early, () => this.#wake(group))
    else this.#ring(group)
  }

  #ring(group: Group): void {
    this.#end(group)
    for (let { first } = group; first !== null; { first } = group) {
      this.leave(first)
      first.giveUp()
    }
  }

  #end(group: Group): void {
    this.#timers.cancel(group.alarm)
    if (this.#last === group) this.#last = null
    else if (this.#groups.get(group.due) === group) this.#groups.delete(group.due)
  }
}
