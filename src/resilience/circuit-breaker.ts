/**
 * Whether something that stopped answering is to be asked again.
 *
 * States: `closed` (all may pass) → `open` (nobody may; a probe is due after a pause) → `probing` (one probe is
 * under way) → `closed`, or `open` again with a longer pause. What opens it is its user's decision.
 * After M. Nygard, "Release It!", 2007. Owns no timer: its user makes the probes. Knows nothing of queries.
 */

import { backoff } from './backoff.ts'

const FIRST_PAUSE = 250
const LONGEST_PAUSE = 5_000
/**
 * The pause is at least this share of the time since it opened. A probe that is never answered stays in memory: so their
 * number grows with the logarithm of an outage's length (1,000 in 83 minutes, 4,000 in a day, 10,000 in a year).
 */
const SHARE_OF_OUTAGE = 1 / 1_000

export type CircuitState =
  | { readonly name: 'closed' }
  | { readonly name: 'open'; readonly since: number; readonly probes: number; readonly pause: number }
  | { readonly name: 'probing'; readonly since: number; readonly probes: number }

export class CircuitBreaker {
  #state: CircuitState = { name: 'closed' }
  readonly #random: () => number

  constructor(random: () => number) {
    this.#random = random
  }

  get state(): CircuitState {
    return this.#state
  }

  /** Returns whether it was closed until now. */
  open(now: number): boolean {
    if (this.#state.name !== 'closed') return false
    this.#state = { name: 'open', since: now, probes: 0, pause: this.#pauseAfter(0, 0) }
    return true
  }

  startProbe(): void {
    if (this.#state.name !== 'open') return
    this.#state = { name: 'probing', since: this.#state.since, probes: this.#state.probes + 1 }
  }

  /** The probe has come back; returns for how long the circuit was open, or `null` where it stays so. */
  endProbe(isGood: boolean, now: number): number | null {
    if (this.#state.name !== 'probing') return null
    const { since, probes } = this.#state
    if (isGood) {
      this.#state = { name: 'closed' }
      return now - since
    }
    this.#state = { name: 'open', since, probes, pause: this.#pauseAfter(probes, now - since) }
    return null
  }

  #pauseAfter(probes: number, outage: number): number {
    return Math.max(outage * SHARE_OF_OUTAGE, backoff(probes, FIRST_PAUSE, LONGEST_PAUSE, this.#random))
  }
}
