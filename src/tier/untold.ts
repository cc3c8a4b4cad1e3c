/**
 * Invalidations that were made while L2 was away and that others are to hear of: each once, however often it was made.
 * Where more than `MOST_UNTOLD` wait, one of everything takes the place of all.
 */

import type { GenerationKind } from './generations.ts'

export interface Invalidation {
  readonly parts: readonly (readonly string[])[]
  readonly isExact: boolean
  readonly kind: GenerationKind
}

const MOST_UNTOLD = 10_000

export class Untold {
  #waiting = new Map<string, Invalidation>()

  add(parts: Invalidation['parts'], isExact: boolean, kind: GenerationKind): void {
    this.#waiting.set(JSON.stringify([parts, isExact, kind]), { parts, isExact, kind })
    if (this.#waiting.size > MOST_UNTOLD) {
      this.#waiting = new Map([['', { parts: [[]], isExact: false, kind: 'hard' }]])
    }
  }

  /** All that wait; they do no longer. */
  take(): Invalidation[] {
    const taken = [...this.#waiting.values()]
    this.#waiting.clear()
    return taken
  }
}
