/**
 * A `StorageBackend` on one SQLite file that many processes may share.
 *
 * States: open -> ended (`close`, for good). The file is opened at construction, in the writing thread, and by an
 * operation where that failed or there is no thread.
 * Invariants: reads run on the calling thread and wait for no lock; writes run in a thread of their own, where
 * one can be had, and never hold the event loop; once a write has resolved, every process reads it; before,
 * only this one. An idle storage does not keep the process alive; one with operations under way does.
 * Owns its reading side, its queue and its writing thread; `close` ends them all, the thread last, so that the
 * final checkpoint is the thread's. The feed and the leases are tables of their own (schema.ts), written through the
 * same thread, read through the same reader.
 * May import ports, resilience and siblings.
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
import { type Backing, prepareBacking, THREAD_BATCH } from './backing.ts'
import { toAppend, toDeletion, toLease, toWrite, type Write } from './entry.ts'
import { scanKeys } from './key-scan.ts'
import { checkOptions, type Settings, type SQLiteStorageOptions } from './options.ts'
import { closedError, ReadSide } from './read-side.ts'
import type { Reader } from './reader.ts'
import type { OpenReport } from './write-engine.ts'
import { WriteQueue } from './write-queue.ts'

/** Keys of a `getMany` that are read in one turn of the event loop. */
const READ_BATCH = 200

export class SQLiteStorage implements StorageBackend {
  readonly feed: ChangeFeed
  /** Held until released or run out, by the wall clock that the processes of a machine share. */
  readonly lease: LeaseProvider
  /** None where the data has no other place than the writing side's own connection. */
  readonly snapshot: SnapshotReader | undefined
  readonly #settings: Settings
  readonly #queue: WriteQueue
  readonly #reading: ReadSide
  readonly #feed: PolledFeed
  #batchSize = THREAD_BATCH
  #backing: Promise<Backing> | undefined
  #closing: Promise<void> | undefined

  /** @throws InvalidOptionError (`INVALID_OPTION`); a file that cannot be opened fails the operations instead. */
  constructor(pathOrOptions: string | SQLiteStorageOptions = {}) {
    this.#settings = checkOptions(pathOrOptions)
    const back = () => this.#back()
    const note = (report: OpenReport) => this.#note(report)
    this.#reading = new ReadSide(this.#settings.path, back, note)
    const commit: ConstructorParameters<typeof WriteQueue>[0] = async (batch) => {
      const report = await (await back()).host.commit(batch)
      note(report)
      return report
    }
    this.#queue = new WriteQueue(commit, () => this.#batchSize)
    const { path } = this.#settings
    this.#feed = new PolledFeed({
      read: (work) => this.#reading.read(work),
      append: (messages) => this.#write(messages.map(toAppend)),
      warn: (message) => this.#warn(`SQLiteStorage: ${message}`),
      closedError,
      // Written by every commit, of whichever process.
      file: path === ':memory:' ? undefined : `${path}-wal`,
    })
    this.feed = {
      heartbeat: this.#feed.heartbeat,
      append: async (messages) => this.#feed.append(messages),
      follow: async (...callbacks) => this.#feed.follow(...callbacks),
    }
    this.lease = {
      acquire: async (key, ttl) => {
        const token = randomUUID()
        return (await this.#write([toLease('acquire', key, token, ttl)])) ? token : null
      },
      renew: async (key, token, ttl) => this.#write([toLease('renew', key, token, ttl)]),
      release: async (key, token) => this.#write([toLease('release', key, token, undefined)]),
    }
    let held: Reader | undefined
    const snapshot: SnapshotReader = {
      hold: () => {
        held = this.#reading.current()
        return held?.hold()
      },
      get: (key) => {
        const now = held?.heldAt ?? Date.now()
        const pending = this.#pending(key, now)
        return pending === undefined ? held?.get(key, now) : pending
      },
    }
    this.snapshot = path === ':memory:' ? undefined : snapshot
    void this.#prepare()
  }

  async get(key: string): Promise<string | null> {
    const now = Date.now()
    const pending = this.#pending(key, now)
    if (pending !== undefined) return pending
    try {
      const reader = this.#reading.current()
      if (reader !== undefined) return reader.get(key, now)
    } catch {
      // Tried again below, where what is wrong is found out.
    }
    return this.#reading.read((reader) => reader.get(key, now))
  }

  async set(key: string, value: string, ttl?: number): Promise<void> {
    await this.#write([toWrite(key, value, ttl, Date.now())])
  }

  /** `false` too for a value that is larger than `maxSize` and was not kept. */
  async add(key: string, value: string, ttl?: number): Promise<boolean> {
    return this.#write([toWrite(key, value, ttl, Date.now(), 'add')])
  }

  async delete(key: string): Promise<void> {
    await this.#write([toDeletion(key)])
  }

  async getMany(keys: readonly string[]): Promise<(string | null)[]> {
    if (keys.length <= READ_BATCH) return this.#readBatch(keys)
    const values: (string | null)[] = []
    for (let from = 0; from < keys.length; from += READ_BATCH) {
      if (from > 0) await new Promise((resolve) => setImmediate(resolve))
      values.push(...(await this.#readBatch(keys.slice(from, from + READ_BATCH))))
    }
    return values
  }

  async setMany(entries: readonly StorageEntry[]): Promise<void> {
    const now = Date.now()
    await this.#write(entries.map(({ key, value, ttl }) => toWrite(key, value, ttl, now)))
  }

  async deleteMany(keys: readonly string[]): Promise<void> {
    await this.#write(keys.map(toDeletion))
  }

  /** Every key that was stored, and neither deleted nor expired, before the call is among them. */
  async *keys(prefix: string): AsyncGenerator<string, void, undefined> {
    await this.#queue.settled()
    yield* scanKeys(prefix, (start, isAfter) =>
      this.#reading.read((reader) => reader.page(start, isAfter, Date.now())),
    )
  }

  /** Waits for the writes that are under way, then lets go of the file. Operations reject from now on. */
  close(): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  async #end(): Promise<void> {
    this.#feed.close()
    await this.#queue.settled()
    await this.#reading.close()
    const backing = await this.#backing?.catch(() => undefined)
    await backing?.host.close()
  }

  #readBatch(keys: readonly string[]): (string | null)[] | Promise<(string | null)[]> {
    const look = (reader: Reader): (string | null)[] => {
      const now = Date.now()
      const values = reader.getMany(keys, now)
      if (this.#queue.isSettled) return values
      return values.map((stored, i) => {
        const pending = this.#pending(keys[i]!, now)
        return pending === undefined ? stored : pending
      })
    }
    try {
      const reader = this.#reading.current()
      if (reader !== undefined) return look(reader)
    } catch {
      // Tried again below, where what is wrong is found out.
    }
    return this.#reading.read(look)
  }

  async #write(writes: readonly Write[]): Promise<boolean> {
    if (this.#closing !== undefined) throw closedError()
    return this.#queue.push(writes)
  }

  /** What a write under way says of `key`: a value, `null` for none, `undefined` where there is no such write. */
  #pending(key: string, now: number): string | null | undefined {
    const write = this.#queue.peek(key)
    if (write === undefined) return undefined
    return write.expires === null || write.expires > now ? write.value : null
  }

  /** So that the first operation need not wait for it; where it fails, that operation finds out why. */
  async #prepare(): Promise<void> {
    try {
      const { host, isThreaded } = await this.#back()
      if (!isThreaded || this.#closing !== undefined) return
      this.#note(await host.open(false, false))
      this.#reading.prepare()
    } catch {
      // Said by the first operation.
    }
  }

  #back(): Promise<Backing> {
    this.#backing ??= prepareBacking(this.#settings, (batchSize, notice) => {
      this.#batchSize = batchSize
      if (notice !== undefined) this.#warn(notice)
    })
    return this.#backing
  }

  #note({ identity, notices }: OpenReport): void {
    for (const notice of notices) this.#warn(notice)
    this.#reading.follow(identity)
  }

  #warn(message: string): void {
    try {
      this.#settings.logger.warn(message)
    } catch {
      // A logger that throws must not fail an operation.
    }
  }
}
