/**
 * A store in this process's memory, with every capability: for tests, and for several clients in one process.
 * Not a bounded cache: what has no ttl stays until it is deleted. (L1 needs no storage at all.)
 *
 * Invariants: every method is atomic, also the batches. States: open, closed; once closed, every operation
 * rejects with `STORAGE_UNAVAILABLE`. `close` ends this handle and the followers it began; the data lives as
 * long as any handle of it is held. No timers. May import ports, errors and its own folder.
 */

import { InvalidOptionError, StorageError } from '../../errors.ts'
import type { Clock } from '../../ports/clock.ts'
import type { ChangeFeed, LeaseProvider, StorageBackend, StorageEntry } from '../../ports/storage.ts'
import { MemoryFeed } from './memory-feed.ts'
import { MemoryStore } from './memory-store.ts'

const DEFAULT_FEED_LENGTH = 1_000

export interface MemoryStorageOptions {
  /** What tells the time for expiry, such as a `VirtualClock`. @default the system's clock */
  readonly clock?: Pick<Clock, 'now'> | undefined
  /**
   * Messages that the feed's log keeps: an integer of at least 1. A follower that more messages than this
   * overtake before it is reached is told of a gap.
   * @default 1_000
   */
  readonly feedLength?: number | undefined
}

export class MemoryStorage implements StorageBackend {
  readonly feed: ChangeFeed
  readonly lease: LeaseProvider
  readonly #store: MemoryStore
  readonly #stops = new Set<() => void>()
  #isClosed = false

  /** @throws InvalidOptionError (`INVALID_OPTION`) where `feedLength` is no integer of at least 1. */
  constructor(options?: MemoryStorageOptions)
  /** @internal */
  constructor(options: MemoryStorageOptions, store: MemoryStore)
  constructor(options: MemoryStorageOptions = {}, store: MemoryStore = createStore(options)) {
    this.#store = store
    this.feed = {
      append: async (messages) => this.#open().feed.append(messages),
      follow: async (onMessages, onGap) => {
        const stop = this.#open().feed.follow(onMessages, onGap)
        this.#stops.add(stop)
        return () => {
          this.#stops.delete(stop)
          stop()
        }
      },
    }
    this.lease = {
      acquire: async (key, ttl) => this.#open().acquire(key, ttl),
      renew: async (key, token, ttl) => this.#open().renew(key, token, ttl),
      release: async (key, token) => this.#open().release(key, token),
    }
  }

  async get(key: string): Promise<string | null> {
    return this.#open().read(key)
  }

  /** A `ttl` of zero or below has run out already: the key is gone. Rejects a value that is no string. */
  async set(key: string, value: string, ttl?: number): Promise<void> {
    this.#open().write(key, expectString(value), ttl)
  }

  async add(key: string, value: string, ttl?: number): Promise<boolean> {
    const store = this.#open()
    if (store.read(key) !== null) return false
    store.write(key, expectString(value), ttl)
    return true
  }

  async delete(key: string): Promise<void> {
    this.#open().delete(key)
  }

  async getMany(keys: readonly string[]): Promise<(string | null)[]> {
    const store = this.#open()
    return keys.map((key) => store.read(key))
  }

  async setMany(entries: readonly StorageEntry[]): Promise<void> {
    const store = this.#open()
    for (const { value } of entries) expectString(value)
    for (const { key, value, ttl } of entries) store.write(key, value, ttl)
  }

  async deleteMany(keys: readonly string[]): Promise<void> {
    const store = this.#open()
    for (const key of keys) store.delete(key)
  }

  async *keys(prefix: string): AsyncGenerator<string, void> {
    yield* this.#open().keys(prefix)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const stop of this.#stops) stop()
    this.#stops.clear()
  }

  /** Entries held, those included that have expired and were not met since. */
  get size(): number {
    return this.#store.size
  }

  /** Another handle on the same data, as another process would have: closing one leaves the others open. */
  connect(): MemoryStorage {
    return new MemoryStorage({}, this.#store)
  }

  /** Forgets all values, leases and the log, as a flushed server does: followers are told of a gap. */
  clear(): void {
    this.#store.clear()
  }

  #open(): MemoryStore {
    if (this.#isClosed) throw new StorageError('STORAGE_UNAVAILABLE', 'this MemoryStorage is closed')
    return this.#store
  }
}

function createStore(options: MemoryStorageOptions): MemoryStore {
  const { clock = { now: () => Date.now() }, feedLength = DEFAULT_FEED_LENGTH } = options
  if (!(Number.isInteger(feedLength) && feedLength >= 1)) {
    throw new InvalidOptionError(`feedLength: expected an integer of at least 1, got ${String(feedLength)}`)
  }
  return new MemoryStore(clock, new MemoryFeed(feedLength))
}

function expectString(value: unknown): string {
  if (typeof value === 'string') return value
  throw new StorageError('STORAGE_FAILED', `MemoryStorage holds strings only, got ${typeof value}`)
}
