/**
 * How much must leave before more is written: measured in the file now and then, reckoned in between.
 *
 * Measuring takes longer than storing a small value. The eighth of the limit that is kept free covers what other
 * processes write between two measurements. May import siblings.
 */

import type { Ledger } from './ledger.ts'

/** Of the limit: bytes written by this process between two measurements. */
const MAX_SHARE = 1 / 1_024
const MAX_TRANSACTIONS = 32
const MAX_AGE = 20

export class Room {
  readonly #ledger: Ledger
  readonly #sizeLimit: number
  readonly #maxBytes: number
  #excess = 0
  #fileBytes = 0
  #written = Infinity
  #transactions = 0
  #measuredAt = 0

  /** `sizeLimit` is for the file; what is in it may fill seven eighths. */
  constructor(ledger: Ledger, sizeLimit: number) {
    this.#ledger = ledger
    this.#sizeLimit = sizeLimit
    this.#maxBytes = sizeLimit * MAX_SHARE
  }

  /** Of the whole file, as last measured. */
  get fileBytes(): number {
    return this.#fileBytes
  }

  /** Inside a write transaction, once for each: the bytes that must leave for `incoming` more. */
  need(incoming: number): number {
    const now = performance.now()
    this.#transactions++
    this.#written += incoming
    if (
      this.#written > this.#maxBytes ||
      this.#transactions > MAX_TRANSACTIONS ||
      now - this.#measuredAt > MAX_AGE
    ) {
      const { used, file } = this.#ledger.usage()
      this.#excess = used - this.#target(file)
      this.#fileBytes = file
      this.#written = incoming
      this.#transactions = 0
      this.#measuredAt = now
    }
    return this.#excess + incoming
  }

  /**
   * What the entries may take: less, the nearer the file is to its limit, since it never shrinks, and grows
   * only where no free page fits.
   */
  #target(fileBytes: number): number {
    const overgrowth = Math.max(0, fileBytes - this.#sizeLimit * (15 / 16))
    return Math.max(this.#sizeLimit * (7 / 8) - 2 * overgrowth, this.#sizeLimit / 2)
  }

  /** What was stored and what left, both as the ledger reckons it. */
  settle(stored: number, freed: number): void {
    this.#excess += stored - freed
  }
}
