/**
 * The operations whose reply is awaited, and the watch that none is awaited for ever.
 *
 * Both client libraries wait without limit for the reply of a server that hangs, and some settings make them
 * keep what was sent for a later connection. Invariants: every tracked operation settles, at the latest
 * 1.25 x `replyTimeout` after it began (later by a millisecond for each 1,000 characters it sends); whoever is
 * not tracked any more cannot be settled twice. Age is counted in ticks of a timer, not read from a clock: an
 * event loop that was blocked, or a process that slept, ages nothing. Owns one timer, unref'd, which runs only
 * while something is pending. May import errors and this folder.
 */

import { StorageError } from '../../errors.ts'
import { toStorageError } from './redis-error.ts'

const TICKS = 4
const CHARACTERS_PER_MS = 1_000

interface Operation {
  readonly lastTick: number
  readonly reject: (error: Error) => void
}

export interface PendingHooks {
  /** Called when the first operation begins and when the last one has settled. */
  readonly setBusy: (isBusy: boolean) => void
  /** Called after operations were given up for want of a reply. */
  readonly stalled: (error: Error) => void
}

export class PendingReplies {
  readonly #replyTimeout: number
  readonly #hooks: PendingHooks
  readonly #operations = new Set<Operation>()
  #tick = 0
  #timer: NodeJS.Timeout | undefined
  #idle: (() => void)[] = []

  constructor(replyTimeout: number, hooks: PendingHooks) {
    this.#replyTimeout = replyTimeout
    this.#hooks = hooks
  }

  /** `size`: characters that the operation sends, for which it is given more time. */
  track<T>(size: number, run: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const tickLength = this.#replyTimeout / TICKS
      const extra = Math.floor(size / (CHARACTERS_PER_MS * tickLength))
      const operation = { lastTick: this.#tick + TICKS + extra, reject }
      this.#operations.add(operation)
      if (this.#operations.size === 1) this.#hooks.setBusy(true)
      this.#timer ??= this.#arm(tickLength)
      const fail = (error: unknown) => {
        if (this.#remove(operation)) reject(toStorageError(error))
      }
      try {
        run().then((value) => {
          if (this.#remove(operation)) resolve(value)
        }, fail)
      } catch (error) {
        fail(error)
      }
    })
  }

  /** Rejects what is pending, such as what a lost connection will not answer. */
  rejectAll(error: Error): void {
    for (const operation of this.#operations) {
      this.#remove(operation)
      operation.reject(error)
    }
  }

  /** Resolves when nothing is pending. */
  drained(): Promise<void> {
    if (this.#operations.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.#idle.push(resolve))
  }

  #remove(operation: Operation): boolean {
    if (!this.#operations.delete(operation)) return false
    if (this.#operations.size === 0) {
      this.#hooks.setBusy(false)
      for (const resolve of this.#idle.splice(0)) resolve()
    }
    return true
  }

  #arm(delay: number): NodeJS.Timeout {
    return setTimeout(() => this.#onTick(delay), delay).unref()
  }

  #onTick(delay: number): void {
    this.#timer = this.#operations.size === 0 ? undefined : this.#arm(delay)
    this.#tick++
    let error: StorageError | undefined
    for (const operation of this.#operations) {
      if (operation.lastTick >= this.#tick) continue
      error ??= new StorageError(
        'STORAGE_TIMEOUT',
        `Redis left a command unanswered for ${this.#replyTimeout} ms`,
      )
      this.#remove(operation)
      operation.reject(error)
    }
    if (error) this.#hooks.stalled(error)
  }
}
