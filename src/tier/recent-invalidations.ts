/**
 * What was invalidated here lately. A store may go back in time (a replica that lacked the last writes has taken over, a file of
 * some moments ago was loaded), and with its tokens comes back what had been invalidated; then all of this is said again.
 *
 * Remembers for `SPAN` at least, the usual life of an entry, and twice that at most. Pure.
 */

import type { GenerationKind } from './generations.ts'
import { type Invalidation, Untold } from './untold.ts'

/** Milliseconds. */
const SPAN = 300_000

export class RecentInvalidations {
  #current = new Untold()
  #former = new Untold()
  #since = Number.NEGATIVE_INFINITY

  add(now: number, parts: Invalidation['parts'], isExact: boolean, kind: GenerationKind): void {
    this.#age(now)
    for (const each of parts) this.#current.add([each], isExact, kind)
  }

  /** All of them; they are remembered no longer. */
  take(now: number): Invalidation[] {
    this.#age(now)
    return [...this.#former.take(), ...this.#current.take()]
  }

  #age(now: number): void {
    const age = now - this.#since
    if (age < SPAN) return
    this.#former = age < 2 * SPAN ? this.#current : new Untold()
    this.#current = new Untold()
    this.#since = now
  }
}
