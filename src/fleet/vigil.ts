/**
 * Watches that word of the peers still arrives: L1 is believed only as long as it does.
 *
 * A feed tells how old its knowledge is (`heard`): everything up to that moment has been given. Once that is longer ago than
 * `patience`, `onDoubt` is called, and again after each further `patience`, since what comes into L1 meanwhile is not
 * watched over either. It does not matter why: a connection that died without a word, a server that hangs, this process
 * suspended.
 *
 * States: `sure` ⇄ `doubtful` → closed. Owns one alarm, which is set anew when it rings, not when something is heard.
 */

import type { Alarm, TimerQueue } from '../resilience/timer-queue.ts'

export interface VigilSettings {
  readonly timers: TimerQueue
  /** Milliseconds that never step back. */
  readonly now: () => number
  /** Milliseconds. */
  readonly patience: number
  /** `isFirst`: until now there was no doubt. */
  readonly onDoubt: (isFirst: boolean) => void
}

export class Vigil {
  readonly #settings: VigilSettings
  /** The moment up to which everything is known. */
  #knownUntil: number
  #isDoubtful = false
  #alarm: Alarm | null = null

  constructor(settings: VigilSettings) {
    this.#settings = settings
    this.#knownUntil = settings.now()
    this.#watch(settings.patience)
  }

  get isDoubtful(): boolean {
    return this.#isDoubtful
  }

  /** Everything that peers said until `age` milliseconds ago has been given. */
  heard(age: number): void {
    const { now, patience } = this.#settings
    this.#knownUntil = Math.max(this.#knownUntil, now() - age)
    if (age < patience) this.#isDoubtful = false
  }

  close(): void {
    if (this.#alarm !== null) this.#settings.timers.cancel(this.#alarm)
  }

  #watch(delay: number): void {
    this.#alarm = this.#settings.timers.after(delay, () => {
      const { now, patience, onDoubt } = this.#settings
      const left = this.#knownUntil + patience - now()
      if (left > 0) {
        this.#watch(left)
        return
      }
      const isFirst = !this.#isDoubtful
      this.#isDoubtful = true
      this.#watch(patience)
      onDoubt(isFirst)
    })
  }
}
