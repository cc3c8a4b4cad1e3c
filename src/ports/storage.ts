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

  /** Values in the order of `keys`, of which one may come twice. One round trip. */
  getMany?(keys: readonly string[]): Awaitable<readonly (string | null | undefined)[]>
  /** All entries in one round trip; where it rejects, any part may have been written. */
  setMany?(entries: readonly StorageEntry[]): Awaitable<unknown>
  deleteMany?(keys: readonly string[]): Awaitable<unknown>
  /** Stores `value` only where the key has none; `false` = it has one, which stays. Atomic among all workers. */
  add?(key: string, value: string, ttl?: number): Awaitable<boolean>
  /** What `get` would answer, without waiting: for a store that is read on the calling thread. */
  readonly snapshot?: SnapshotReader | undefined
  /** Every live key that starts with `prefix`, in any order. */
  keys?(prefix: string): AsyncIterable<string>
  /** An ordered log through which workers hear of each other's changes. */
  readonly feed?: ChangeFeed | undefined
  /** Mutual exclusion over the whole fleet. */
  readonly lease?: LeaseProvider | undefined
  /** Releases what the storage opened itself; a client that the user gave is the user's to close. */
  close?(): Awaitable<unknown>
}

/**
 * Reads from memory or a mapped file, by the calling thread. Either method may throw: then the client asks `get` or `getMany`,
 * and what it throws there counts.
 */
export interface SnapshotReader {
  /**
   * Begins a snapshot, or goes on with the one that is held, and returns its number, which no other has. It has every write
   * that was resolved, to whichever worker, before the running turn of the event loop began. `undefined` = not now: the
   * storage is being opened, looked after, or closed.
   */
  hold(): number | undefined
  /** What the snapshot has. Called in the same turn as `hold`, right after it. */
  get(key: string): string | null | undefined
}

/**
 * An ordered log with positions, not fire-and-forget messages. All workers on a store see one log, in one order.
 * Following keeps no process alive.
 */
export interface ChangeFeed {
  /** Resolves when the log has the messages. */
  append(messages: readonly string[]): Awaitable<unknown>
  /**
   * Resolves to the function that stops it, once following has begun: what is appended afterwards is seen, own messages
   * included. Calls `onMessages` with each batch, in order. A connection that breaks is the feed's to mend: it goes on
   * from its position, and calls `onGap` where messages may have been missed (the log was trimmed past this follower,
   * or has vanished). Rejects where it cannot begin. `mayHaveGoneBack`: the whole store may be what it was some time ago,
   * since another server, or another file, has taken its place; what was written last is to be written again.
   *
   * A feed with a `heartbeat` calls `onHeard` as often as that while all is well, also when nothing is appended: whatever
   * the log had `age` milliseconds ago has been given. An answer that lay unread proves nothing of the time since, so
   * the age counts from when the log was asked.
   */
  follow(
    onMessages: (messages: readonly string[]) => void,
    onGap: (reason: string, mayHaveGoneBack?: boolean) => void,
    onHeard?: (age: number) => void,
  ): Awaitable<() => void>
  /**
   * Milliseconds. Where it is given, a follower that hears nothing for some times as long knows that it is cut off from the
   * log, and L1 is no longer believed. A log in the memory of its own process needs none.
   */
  readonly heartbeat?: number | undefined
}

export interface LeaseProvider {
  /** A token when the lease was taken for `ttl` milliseconds, `null` when another holds it. */
  acquire(key: string, ttl: number): Awaitable<string | null>
  /** Makes the lease last `ttl` milliseconds from now; `false` = `token` no longer holds it. */
  renew?(key: string, token: string, ttl: number): Awaitable<boolean>
  /** Gives the lease up if `token` still holds it. */
  release(key: string, token: string): Awaitable<unknown>
}
