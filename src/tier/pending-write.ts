/**
 * One write that waits for L2: the newest for its key.
 *
 * Its value is made off the caller's path, by its order: a string, `null` for a tombstone, or `undefined` as long as it
 * cannot be made yet. Ends by `done` or `dropped`, once; a newer write for the same key inherits who waits for it.
 *
 * There may be tens of thousands of them in a burst, so nothing is made for one that another can share: orders have methods
 * in place of functions of their own, and a place in a line in place of sets. `value` changes here alone, all other fields
 * in the queue.
 */

import type { InLine, Line } from './line.ts'

export interface WriteOrder {
  readonly storageKey: string
  /** Tokens go first and are never dropped: losing one would lose an invalidation. */
  readonly isToken: boolean
  /** `null`: it is a tombstone. What is no token is asked no more once it has given a value. */
  readonly produce: (() => string | null | undefined) | null
  /** Epoch milliseconds; `null` = never. */
  readonly expiresAt: number | null
  /** L2 has it. Not called where a newer write has taken its place. */
  onDone?(): void
  /** It was given up; L2 may hold something older. */
  onDropped?(): void
}

const ENDED: WriteOrder = { storageKey: '', isToken: false, produce: null, expiresAt: null }

export class PendingWrite implements InLine<PendingWrite> {
  readonly storageKey: string
  readonly isToken: boolean
  readonly expiresAt: number | null
  value: string | null | undefined = undefined
  attempts = 0
  /** It is under way. */
  isSent = false
  /** Its turn to be made will come. */
  isUnmade = false
  /** L2 has it, or it was given up, or a newer one has taken its place. */
  isGone = false
  /** The monotonic moment before which it is not tried again. */
  notBefore = 0
  /** Among all by age. */
  place = 0
  line: Line<PendingWrite> | null = null
  before: PendingWrite | null = null
  behind: PendingWrite | null = null
  #order: WriteOrder
  #waiting: (() => void)[] | null = null

  constructor(order: WriteOrder) {
    this.storageKey = order.storageKey
    this.isToken = order.isToken
    this.expiresAt = order.expiresAt
    this.#order = order
    if (order.produce === null) this.value = null
  }

  /** It was ordered as one. */
  get isTombstone(): boolean {
    return this.#order.produce === null
  }

  /** Returns whether the value is there. */
  make(): boolean {
    if (this.value === undefined && this.#order.produce !== null) this.value = this.#order.produce()
    return this.value !== undefined
  }

  /** An attempt has failed, and may have had its effect. */
  renew(): void {
    // A token is made anew for every attempt.
    if (this.isToken && this.#order.produce !== null) this.value = this.#order.produce()
  }

  inherit(older: PendingWrite): void {
    if (older.#waiting === null) return
    this.#waiting = older.#waiting.concat(this.#waiting ?? [])
    older.#waiting = null
  }

  /** Calls `tell` when L2 has this write or a newer one of its key, or it was given up. */
  whenDone(tell: () => void): void {
    this.#waiting ??= []
    this.#waiting.push(tell)
  }

  done(): void {
    const order = this.#letGo()
    order.onDone?.()
    this.#tell()
  }

  dropped(): void {
    const order = this.#letGo()
    order.onDropped?.()
    this.#tell()
  }

  /**
   * The tables that a map has outgrown are garbage in the old generation and keep alive, until that is looked through,
   * whatever young they held: what a burst has written must not be copied on for it.
   */
  #letGo(): WriteOrder {
    const order = this.#order
    this.#order = ENDED
    this.value = null
    return order
  }

  #tell(): void {
    if (this.#waiting === null) return
    const waiting = this.#waiting
    this.#waiting = null
    for (const tell of waiting) tell()
  }
}

export function bytesOf(write: PendingWrite): number {
  // Two bytes a character at the most, and for the record what the heap was seen to grow by.
  return 700 + 2 * (write.storageKey.length + (write.value?.length ?? 0))
}

/** Settles when L2 has the write or a newer one of its key, or it was given up. */
export function doneOf(write: PendingWrite): Promise<void> {
  return new Promise((resolve) => write.whenDone(resolve))
}
