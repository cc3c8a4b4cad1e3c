/**
 * Those who wait for L2, each until its deadline. Deadlines of one millisecond share an alarm: they ring at its beginning, so
 * nobody waits longer than it said. The last of them is kept when nobody waits for it any longer: the next to come may.
 *
 * A `Wait` is `waiting` until `leave` or its deadline or `endAll`, whichever comes first, and then calls nothing any more.
 * Holds the process while anybody waits. Owns its alarms.
 */

import type { Alarm, TimerQueue } from '../resilience/timer-queue.ts'

interface Group {
  readonly due: number
  readonly alarm: Alarm
  readonly waits: Set<Wait>
}

export class Wait {
  readonly group: Group
  readonly giveUp: () => void

  constructor(group: Group, giveUp: () => void) {
    this.group = group
    this.giveUp = giveUp
  }
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

  /** Calls `giveUp` after `limit` milliseconds from `now` on, unless it has left. */
  wait(limit: number, giveUp: () => void, now = this.#now()): Wait {
    const due = Math.floor(now + limit)
    const wait = new Wait(this.#groups.get(due) ?? this.#begin(due, due - now), giveUp)
    wait.group.waits.add(wait)
    if (++this.#waiting === 1) this.#timers.hold()
    return wait
  }

  /** `false` = it has been told to give up. */
  leave(wait: Wait): boolean {
    const { group } = wait
    if (!group.waits.delete(wait)) return false
    if (group.waits.size === 0 && group !== this.#last) this.#end(group)
    if (--this.#waiting === 0) this.#timers.release()
    return true
  }

  endAll(): void {
    for (const group of [...this.#groups.values()]) this.#ring(group)
  }

  #begin(due: number, delay: number): Group {
    const group: Group = { due, alarm: this.#timers.after(delay, () => this.#ring(group)), waits: new Set() }
    this.#groups.set(due, group)
    const last = this.#last
    this.#last = group
    if (last?.waits.size === 0) this.#end(last)
    return group
  }

  #ring(group: Group): void {
    this.#end(group)
    for (const wait of [...group.waits]) if (this.leave(wait)) wait.giveUp()
  }

  #end(group: Group): void {
    this.#timers.cancel(group.alarm)
    if (this.#groups.get(group.due) === group) this.#groups.delete(group.due)
    if (this.#last === group) this.#last = null
  }
}
