/**
 * Those who wait for L2, each until its deadline. Deadlines of one millisecond share an alarm: they ring at its beginning, so
 * nobody waits longer than it said. The last of them is kept when nobody waits for it any longer: the next to come may.
 *
 * A waiter waits until `leave` or its deadline or `endAll`, whichever comes first, and then is told nothing any more.
 * Holds the process while anybody waits. Owns its alarms.
 */

import type { Alarm, TimerQueue } from '../resilience/timer-queue.ts'

export interface Group {
  readonly due: number
  readonly alarm: Alarm
  readonly waiters: Set<Waiter>
}

/** It waits at most once. */
export interface Waiter {
  /** Where it waits; for `Deadlines` alone. */
  group: Group | null
  giveUp(): void
}

export class Deadlines {
  readonly #timers: TimerQueue
  readonly #now: () => number
  readonly #groups = new Map<number, Group>()
  #last: Group | null = null
  #waiting = 0

  /** `now`: milliseconds that never step back. */
  constructor(timers: TimerQueue, now: () => number) {
    this.#timers = timers
    this.#now = now
  }

  /** Tells it to give up after `limit` milliseconds from `now` on, unless it has left. */
  wait(limit: number, waiter: Waiter, now = this.#now()): void {
    const due = Math.floor(now + limit)
    waiter.group = this.#groups.get(due) ?? this.#begin(due, due - now)
    waiter.group.waiters.add(waiter)
    if (++this.#waiting === 1) this.#timers.hold()
  }

  /** `false` = it has been told to give up. */
  leave(waiter: Waiter): boolean {
    const { group } = waiter
    if (group === null) return false
    waiter.group = null
    group.waiters.delete(waiter)
    if (group.waiters.size === 0 && group !== this.#last) this.#end(group)
    if (--this.#waiting === 0) this.#timers.release()
    return true
  }

  endAll(): void {
    for (const group of [...this.#groups.values()]) this.#ring(group)
  }

  #begin(due: number, delay: number): Group {
    const alarm = this.#timers.after(delay, () => this.#ring(group))
    const group: Group = { due, alarm, waiters: new Set() }
    this.#groups.set(due, group)
    const last = this.#last
    this.#last = group
    if (last?.waiters.size === 0) this.#end(last)
    return group
  }

  #ring(group: Group): void {
    this.#end(group)
    for (const waiter of [...group.waiters]) if (this.leave(waiter)) waiter.giveUp()
  }

  #end(group: Group): void {
    this.#timers.cancel(group.alarm)
    if (this.#groups.get(group.due) === group) this.#groups.delete(group.due)
    if (this.#last === group) this.#last = null
  }
}
