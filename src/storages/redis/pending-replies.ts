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

class Operation {
  readonly lastTick: number
  readonly reject: (error: Error) => void
  isPending = true
  newer: Operation | null = null
  older: Operation | null

  constructor(lastTick: number, reject: (error: Error) => void, older: Operation | null) {
    this.lastTick = lastTick
    this.reject = reject
    this.older = older
  }
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
  /** Linked, oldest first: a set that fills and empties with each operation makes a new table every other time. */
  #oldest: Operation | null = null
  #newest: Operation | null = null
  #tick = 0
  #timer: NodeJS.Timeout | undefined
  #idle: (() => void)[] = []

  constructor(replyTimeout: number, hooks: PendingHooks) {
    this.#replyTimeout = replyTimeout
    this.#hooks = hooks
  }

  /** `size`: characters that were sent, for which it is given more time. `read`: what is told of the reply. */
  track<T, R>(size: number, reply: Promise<T>, read: (reply: T) => R): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      const tickLength = this.#replyTimeout / TICKS
      const extra = Math.floor(size / (CHARACTERS_PER_MS * tickLength))
      const operation = this.#add(this.#tick + TICKS + extra, reject)
      this.#timer ??= this.#arm(tickLength)
      reply.then(
        (value) => {
          if (!this.#remove(operation)) return
          try {
            resolve(read(value))
          } catch (error) {
            // A proxy may answer with what no server does.
            reject(toStorageError(error))
          }
        },
        (error) => {
          if (this.#remove(operation)) reject(toStorageError(error))
        },
      )
    })
  }

  /** Rejects what is pending, such as what a lost connection will not answer. */
  rejectAll(error: Error): void {
    for (let operation = this.#oldest; operation !== null; operation = this.#oldest) {
      this.#remove(operation)
      operation.reject(error)
    }
  }

  /** Resolves when nothing is pending. */
  drained(): Promise<void> {
    if (this.#oldest === null) return Promise.resolve()
    return new Promise((resolve) => this.#idle.push(resolve))
  }

  #add(lastTick: number, reject: (error: Error) => void): Operation {
    const older = this.#newest
    const operation = new Operation(lastTick, reject, older)
    this.#newest = operation
    if (older !== null) {
      older.newer = operation
    } else {
      this.#oldest = operation
      this.#hooks.setBusy(true)
    }
    return operation
  }

  #remove(operation: Operation): boolean {
    if (!operation.isPending) return false
    operation.isPending = false
    const { newer, older } = operation
    operation.newer = null
    operation.older = null
    if (older === null) this.#oldest = newer
    else older.newer = newer
    if (newer === null) this.#newest = older
    else newer.older = older
    if (this.#oldest === null) {
      this.#hooks.setBusy(false)
      if (this.#idle.length > 0) for (const resolve of this.#idle.splice(0)) resolve()
    }
    return true
  }

  #arm(delay: number): NodeJS.Timeout {
    return setTimeout(() => this.#onTick(delay), delay).unref()
  }

  #onTick(delay: number): void {
    this.#timer = this.#oldest === null ? undefined : this.#arm(delay)
    this.#tick++
    let error: StorageError | undefined
    let next: Operation | null
    for (let operation = this.#oldest; operation !== null; operation = next) {
      next = operation.newer
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

export function asItIs<T>(reply: T): T {
  return reply
}
