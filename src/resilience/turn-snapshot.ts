/**
 * A snapshot of a local store that is shared by the reads of one turn of the event loop.
 *
 * Taking one costs as much as a read. One that reads are still coming for, job after job, is kept: the queue of jobs runs
 * dry before the loop goes on, so it never outlasts the turn, and news of what others have committed since reaches this
 * process in a later one. Nor is it older than `MAX_AGE` when read, for who waits for such news without letting the loop go on.
 *
 * States: none → held (`hold`) → none (idle for `IDLE_JOBS` jobs, too old, or `drop`). Its number tells it from all others
 * in the process.
 * Owns no timer. May import `soon`.
 */

import { soon } from './soon.ts'

/** Promise jobs without a read after which it is given up. */
const IDLE_JOBS = 3
/**
 * Milliseconds, counted in whole ones by the clock on the wall: the time is asked for once a read, and that one tells what
 * has expired, too.
 */
const MAX_AGE = 1

let taken = 0

export class TurnSnapshot {
  readonly #take: () => void
  readonly #release: () => void
  #number = 0
  #isHeld = false
  #takenAt = 0
  #hasRead = false
  #idleJobs = 0
  #isWatching = false
  #heldAt = 0

  /** `release` must not throw. */
  constructor(take: () => void, release: () => void) {
    this.#take = take
    this.#release = release
  }

  /**
   * Takes a snapshot, or goes on with the one that is held, until the caller returns at least. Returns its number.
   *
   * @throws what `take` throws
   */
  hold(): number {
    const now = Date.now()
    this.#heldAt = now
    this.#hasRead = true
    if (this.#isHeld && Math.abs(now - this.#takenAt) > MAX_AGE) this.drop()
    if (this.#isHeld) return this.#number
    this.#take()
    this.#isHeld = true
    this.#takenAt = now
    this.#number = ++taken
    if (!this.#isWatching) soon(this.#watch)
    this.#isWatching = true
    return this.#number
  }

  /** When `hold` was called last, in epoch milliseconds. */
  get heldAt(): number {
    return this.#heldAt
  }

  drop(): void {
    if (!this.#isHeld) return
    this.#isHeld = false
    this.#release()
  }

  readonly #watch = (): void => {
    this.#idleJobs = this.#hasRead ? 0 : this.#idleJobs + 1
    this.#hasRead = false
    if (this.#isHeld && this.#idleJobs < IDLE_JOBS) {
      soon(this.#watch)
      return
    }
    this.#isWatching = false
    this.drop()
  }
}
