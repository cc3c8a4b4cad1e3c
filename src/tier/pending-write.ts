/**
 * One write that waits for L2: the newest for its key.
 *
 * Its value is made off the caller's path, by `produce`: a string, `null` for a tombstone, or `undefined` as long as it
 * cannot be made yet. Ends by `done` or `dropped`, once; a newer write for the same key inherits who waits for it.
 */

export interface WriteOrder {
  readonly storageKey: string
  /** Tokens go first and are never dropped: losing one would lose an invalidation. */
  readonly isToken: boolean
  /** `null`: it is a tombstone. */
  readonly produce: (() => string | null | undefined) | null
  /** Epoch milliseconds; `null` = never. */
  readonly expiresAt: number | null
  /** L2 has it. Not called where a newer write has taken its place. */
  readonly onDone?: (() => void) | undefined
  /** It was given up; L2 may hold something older. */
  readonly onDropped?: (() => void) | undefined
}

export class PendingWrite {
  readonly storageKey: string
  readonly isToken: boolean
  readonly expiresAt: number | null
  value: string | null | undefined = undefined
  attempts = 0
  /** It is under way. */
  isSent = false
  /** The monotonic moment before which it is not tried again. */
  notBefore = 0
  #produce: (() => string | null | undefined) | null
  readonly #onDone: (() => void) | undefined
  readonly #onDropped: (() => void) | undefined
  #waiting: (() => void)[] | null = null

  constructor(order: WriteOrder) {
    this.storageKey = order.storageKey
    this.isToken = order.isToken
    this.expiresAt = order.expiresAt
    this.#produce = order.produce
    if (order.produce === null) this.value = null
    this.#onDone = order.onDone
    this.#onDropped = order.onDropped
  }

  /** Returns whether the value is there. */
  make(): boolean {
    if (this.#produce === null || this.value !== undefined) return true
    this.value = this.#produce()
    if (this.value === undefined) return false
    // What it holds on to is needed no more; a token is made anew for every attempt.
    if (!this.isToken) this.#produce = null
    return true
  }

  /** An attempt has failed, and may have had its effect. */
  renew(): void {
    if (this.isToken && this.#produce !== null) this.value = this.#produce()
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
    this.#onDone?.()
    this.#tell()
  }

  dropped(): void {
    this.#onDropped?.()
    this.#tell()
  }

  #tell(): void {
    const waiting = this.#waiting ?? []
    this.#waiting = null
    for (const tell of waiting) tell()
  }
}

export function bytesOf(write: PendingWrite): number {
  // Two bytes a character at the most, and for the record what the heap was seen to grow by.
  return 700 + 2 * (write.storageKey.length + (write.value?.length ?? 0))
}
