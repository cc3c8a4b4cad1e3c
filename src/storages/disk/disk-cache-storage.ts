/**
 * `DiskCacheStorage`: a cache in a directory, on LMDB, for many gigabytes and many processes.
 *
 * Reads are look-ups in the memory map on the calling thread; writes go to a thread of its own. The calling
 * thread never waits for a lock or an fsync. The feed and the leases lie in trees of their own, written through the same
 * thread, read through the same reader.
 *
 * States: open -> closed; those of the directory are `DirectoryAccess`'s. Owns its access and its feed; nothing of
 * them keeps the process alive while no operation is under way. `close` ends the feed, writes what is under way, then
 * releases all. May import siblings, errors, resilience and ports.
 */

import { randomUUID } from 'node:crypto'
import type {
  ChangeFeed,
  LeaseProvider,
  SnapshotReader,
  StorageBackend,
  StorageEntry,
} from '../../ports/storage.ts'
import { PolledFeed } from '../../resilience/polled-feed.ts'
import { bellOf } from './bell.ts'
import { type Access, DirectoryAccess } from './directory-access.ts'
import { rangesOf } from './key.ts'
import { toDeletion, toLease, toMessage, toStore } from './operation.ts'
import { type DiskCacheOptions, resolveOptions } from './options.ts'
import type { Operation } from './protocol.ts'
import type { Reader } from './reader.ts'

/**
 * What is stored survives the death of any process at any moment. It survives that of the machine once it is
 * flushed: by `close`, or a second or two after the last write of any process; a cache that was not flushed then
 * begins anew. The directory may be deleted while no process uses it. In a worker thread of your own, `close`
 * before the thread is terminated: ended in the middle of a transaction, it may take the process with it.
 *
 * @example
 * const client = new QueryClient({ storage: new DiskCacheStorage({ directory: '.cache', sizeLimit: 10 * 1024 ** 3 }) })
 */
export class DiskCacheStorage implements StorageBackend {
  readonly feed: ChangeFeed
  /** Held until released or run out, by the wall clock that the processes of a machine share. */
  readonly lease: LeaseProvider
  readonly snapshot: SnapshotReader
  readonly #access: DirectoryAccess
  readonly #feed: PolledFeed

  /**
   * Begins to open the directory, in a thread of its own. One that cannot be used rejects the operations, and is
   * tried again with growing pauses (5 s at most).
   *
   * @throws INVALID_OPTION
   */
  constructor(directoryOrOptions?: string | DiskCacheOptions) {
    const settings = resolveOptions(directoryOrOptions)
    const access = new DirectoryAccess(settings)
    this.#access = access
    this.#feed = new PolledFeed({
      read: async (work) => this.#read(await access.open(), work),
      append: (messages) => this.#write(messages.map(toMessage)),
      warn: (message) => warn(settings.logger, `DiskCacheStorage: ${message}`),
      closedError: () => access.closedError(),
      file: bellOf(settings.directory),
    })
    this.feed = {
      append: async (messages) => this.#feed.append(messages),
      follow: async (onMessages, onGap, onHeard) => this.#feed.follow(onMessages, onGap, onHeard),
      heartbeat: this.#feed.heartbeat,
    }
    this.lease = {
      acquire: async (key, ttl) => {
        const token = randomUUID()
        return (await this.#write([toLease('acquire', key, token, ttl)])) ? token : null
      },
      renew: async (key, token, ttl) => this.#write([toLease('renew', key, token, ttl)]),
      release: async (key, token) => this.#write([toLease('release', key, token, 0)]),
    }
    let held: Access | undefined
    this.snapshot = {
      hold: () => {
        held = access.ready
        return held?.reader.hold()
      },
      get: (key) => held && look(held, key),
    }
  }

  async get(key: string): Promise<string | undefined> {
    const access = this.#access.ready ?? (await this.#access.open())
    try {
      access.reader.hold()
      return look(access, key)
    } catch (error) {
      throw this.#access.readError(access, error)
    }
  }

  /** From one snapshot. */
  async getMany(keys: readonly string[]): Promise<(string | undefined)[]> {
    const access = this.#access.ready ?? (await this.#access.open())
    return this.#read(access, (reader) => {
      reader.hold()
      return keys.map((key) => look(access, key))
    })
  }

  async set(key: string, value: string, ttl?: number): Promise<void> {
    await this.#write([toStore('set', { key, value, ttl })])
  }

  /** A value that is too large to be kept rejects, as it does in `set`. */
  async add(key: string, value: string, ttl?: number): Promise<boolean> {
    return this.#write([toStore('add', { key, value, ttl })])
  }

  async setMany(entries: readonly StorageEntry[]): Promise<void> {
    await this.#write(entries.map((entry) => toStore('set', entry)))
  }

  async delete(key: string): Promise<void> {
    await this.#write([toDeletion(key)])
  }

  async deleteMany(keys: readonly string[]): Promise<void> {
    await this.#write(keys.map(toDeletion))
  }

  /** A page of rows at a time, each from a snapshot of its own. */
  async *keys(prefix: string): AsyncGenerator<string> {
    for (const { start, end } of rangesOf(prefix)) {
      let from: Buffer | undefined = start
      while (from !== undefined) {
        const first: Buffer = from
        const access = await this.#access.open()
        const page = this.#read(access, (reader) => reader.keysBetween(first, end, prefix))
        yield* page.keys
        from = page.next
        if (from !== undefined) await new Promise((resume) => setImmediate(resume))
      }
    }
  }

  /** Writes what is under way and releases the directory. Every later operation rejects. */
  async close(): Promise<void> {
    this.#feed.close()
    await this.#access.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #read<T>(access: Access, work: (reader: Reader) => T): T {
    try {
      return work(access.reader)
    } catch (error) {
      throw this.#access.readError(access, error)
    }
  }

  async #write(operations: readonly Operation[]): Promise<boolean> {
    const { writer, uses } = this.#access.ready ?? (await this.#access.open())
    if (operations.length === 0) return true
    // What was used before a write is newer than what the write makes leave.
    uses?.flush()
    return writer.write(operations)
  }
}

/** Right after a `hold`. */
function look({ reader, uses }: Access, key: string): string | undefined {
  const value = reader.get(key)
  if (value !== undefined) uses?.add(key)
  return value
}

function warn(logger: { warn(message: string): unknown } | undefined, message: string): void {
  try {
    logger?.warn(message)
  } catch {
    // A logger that throws must not cost the cache.
  }
}
