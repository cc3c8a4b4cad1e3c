/**
 * The port to L2: what a store must and may offer.
 *
 * Three methods are enough. Everything else is an optional capability that the client uses where it is
 * present. Interfaces only; imports nothing.
 */

export type Awaitable<T> = T | PromiseLike<T>

/** One write: `ttl` in milliseconds, absent = no expiry. */
export interface StorageEntry {
  readonly key: string
  readonly value: string
  readonly ttl?: number | undefined
}

export interface StorageBackend {
  /** The value, or `null`/`undefined` where there is none or it has expired. */
  get(key: string): Awaitable<string | null | undefined>
  /** Stores `value` for `ttl` milliseconds (a fraction rounds up, never to 0); no ttl = no expiry. */
  set(key: string, value: string, ttl?: number): Awaitable<unknown>
  /** Deleting what is not there is no error. */
  delete(key: string): Awaitable<unknown>

  /** Values in the order of `keys`. One round trip. */
  getMany?(keys: readonly string[]): Awaitable<readonly (string | null | undefined)[]>
  /** All entries in one round trip; where it rejects, any part may have been written. */
  setMany?(entries: readonly StorageEntry[]): Awaitable<unknown>
  deleteMany?(keys: readonly string[]): Awaitable<unknown>
  /** Every live key that starts with `prefix`, in any order. */
  keys?(prefix: string): AsyncIterable<string>
  /** An ordered log through which workers hear of each other's changes. */
  readonly feed?: ChangeFeed | undefined
  /** Mutual exclusion over the whole fleet. */
  readonly lease?: LeaseProvider | undefined
  /** Releases what the storage opened itself; a client that the user gave is the user's to close. */
  close?(): Awaitable<unknown>
}

/** An ordered log with positions, not fire-and-forget messages. */
export interface ChangeFeed {
  append(messages: readonly string[]): Awaitable<unknown>
  /**
   * Calls `onMessages` with each batch after this moment, in order. Calls `onGap` when messages may have been
   * missed (the log was trimmed past this follower, or has vanished). Returns the function that stops it.
   */
  follow(
    onMessages: (messages: readonly string[]) => void,
    onGap: (reason: string) => void,
  ): Awaitable<() => void>
}

export interface LeaseProvider {
  /** A token when the lease was taken for `ttl` milliseconds, `null` when another holds it. */
  acquire(key: string, ttl: number): Awaitable<string | null>
  /** Gives the lease up if `token` still holds it. */
  release(key: string, token: string): Awaitable<unknown>
}
