/**
 * A `StorageBackend` on one SQLite file that many processes may share.
 *
 * States: closed -> opening (first operation) -> open -> closed (after an error, or when the file at the path
 * has become another) -> opening (next operation) ... -> ended (`close`, for good).
 * Invariants: reads run on the calling thread and wait for no lock; writes run in a thread of their own, where
 * one can be had, and never hold the event loop; once a write has resolved, every process reads it; before,
 * only this one. Constructing touches nothing. An idle storage does not keep the process alive; one with
 * operations under way does. Owns its reader, queue and writing thread; `close` ends them all, the thread
 * last, so that the final checkpoint is the thread's.
 * May import ports, errors and siblings.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { StorageError } from '../../errors.ts'
import type { StorageBackend, StorageEntry } from '../../ports/storage.ts'
import { expiresAt } from './expiry.ts'
import { FallbackHost } from './fallback-host.ts'
import { scanKeys } from './key-scan.ts'
import { type LoadedDriver, loadDriver } from './load-driver.ts'
import { checkOptions, type Settings, type SQLiteStorageOptions } from './options.ts'
import { Reader } from './reader.ts'
import { isBusy, toStorageError } from './result-code.ts'
import { identityOf } from './set-aside.ts'
import { ThreadHost, type WriteHost } from './thread-host.ts'
import { type OpenReport, WriteEngine } from './write-engine.ts'
import { type Write, WriteQueue } from './write-queue.ts'

/** Entries per transaction: long ones suit a thread, short ones the event loop. */
const THREAD_BATCH = 1_000
const INLINE_BATCH = 32
/** Keys of a `getMany` that are read in one turn of the event loop. */
const READ_BATCH = 200
const BUSY_LIMIT = 1_000
/** How often a reader makes sure that its file is still the one at the path. */
const IDENTITY_INTERVAL = 1_000

interface Backing {
  readonly driver: LoadedDriver
  readonly host: WriteHost
  /** The connection to read with, where it is the engine's own. */
  readonly engine: WriteEngine | undefined
}

export class SQLiteStorage implements StorageBackend {
  readonly #settings: Settings
  readonly #queue: WriteQueue
  #batchSize = THREAD_BATCH
  #backing: Promise<Backing> | undefined
  #opening: Promise<Reader> | undefined
  #reader: Reader | undefined
  #checkedAt = 0
  #closing: Promise<void> | undefined

  /** @throws InvalidOptionError (`INVALID_OPTION`); a file that cannot be opened fails the operations instead. */
  constructor(pathOrOptions: string | SQLiteStorageOptions = {}) {
    this.#settings = checkOptions(pathOrOptions)
    this.#queue = new WriteQueue(
      async (batch) => {
        const { host } = await this.#back()
        const report = await host.commit(batch)
        this.#note(report)
        return report
      },
      () => this.#batchSize,
    )
  }

  async get(key: string): Promise<string | null> {
    const pending = this.#pending(key)
    if (pending !== undefined) return pending
    return this.#read((reader) => reader.get(key))
  }

  set(key: string, value: string, ttl?: number): Promise<void> {
    return this.#write(() => [toWrite({ key, value, ttl }, Date.now())])
  }

  delete(key: string): Promise<void> {
    return this.#write(() => [toWrite({ key, value: null }, 0)])
  }

  async getMany(keys: readonly string[]): Promise<(string | null)[]> {
    const values: (string | null)[] = []
    for (let from = 0; from < keys.length; from += READ_BATCH) {
      if (from > 0) await new Promise((resolve) => setImmediate(resolve))
      const slice = keys.slice(from, from + READ_BATCH)
      const stored = await this.#read((reader) => reader.getMany(slice))
      slice.forEach((key, i) => {
        const pending = this.#pending(key)
        values.push(pending === undefined ? stored[i]! : pending)
      })
    }
    return values
  }

  setMany(entries: readonly StorageEntry[]): Promise<void> {
    const now = Date.now()
    return this.#write(() => entries.map((entry) => toWrite(entry, now)))
  }

  deleteMany(keys: readonly string[]): Promise<void> {
    return this.#write(() => keys.map((key) => toWrite({ key, value: null }, 0)))
  }

  /** Every key that was stored, and not deleted, before the call is among them. */
  async *keys(prefix: string): AsyncGenerator<string, void, undefined> {
    await this.#queue.settled()
    yield* scanKeys(prefix, (start, isAfter) => this.#read((reader) => reader.page(start, isAfter)))
  }

  /** Waits for the writes that are under way, then lets go of the file. Operations reject from now on. */
  close(): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  async #end(): Promise<void> {
    await this.#queue.settled()
    await this.#opening?.catch(() => {})
    this.#dropReader()
    const backing = await this.#backing?.catch(() => undefined)
    await backing?.host.close()
  }

  #write(writes: () => readonly Write[]): Promise<void> {
    try {
      this.#assertOpen()
      return this.#queue.push(writes())
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** What a write under way says of `key`: a value, `null` for none, `undefined` where there is no such write. */
  #pending(key: string): string | null | undefined {
    const write = this.#queue.peek(key)
    if (write === undefined) return undefined
    return write.expires === null || write.expires > Date.now() ? write.value : null
  }

  async #read<T>(work: (reader: Reader) => T): Promise<T> {
    this.#assertOpen()
    const deadline = performance.now() + BUSY_LIMIT
    for (let failures = 0; ; ) {
      this.#checkIdentity()
      const reader = this.#reader ?? (await this.#open(failures > 0))
      try {
        return work(reader)
      } catch (error) {
        // Busy is a log being recovered by another process: short, but longer than a turn of this loop.
        if (isBusy(error) && performance.now() < deadline) {
          await sleep(1 + 4 * Math.random())
          continue
        }
        this.#dropReader()
        if (isBusy(error) || ++failures > 1) throw toStorageError(error, this.#settings.path)
      }
    }
  }

  #open(isSuspect: boolean): Promise<Reader> {
    this.#opening ??= this.#openReader(isSuspect).finally(() => {
      this.#opening = undefined
    })
    return this.#opening
  }

  async #openReader(isSuspect: boolean): Promise<Reader> {
    const { driver, host, engine } = await this.#back()
    const { path } = this.#settings
    if (engine === undefined && !isSuspect) {
      try {
        return this.#use(new Reader({ Driver: driver.Driver, path }))
      } catch {
        // Not there, or not as it should be: the writing side makes it so, or says why it cannot.
      }
    }
    this.#note(await host.open(isSuspect))
    try {
      return this.#use(new Reader(engine?.connection ?? { Driver: driver.Driver, path }))
    } catch (error) {
      throw toStorageError(error, path)
    }
  }

  #use(reader: Reader): Reader {
    this.#reader = reader
    this.#checkedAt = Date.now()
    return reader
  }

  #back(): Promise<Backing> {
    this.#backing ??= this.#prepare()
    return this.#backing
  }

  async #prepare(): Promise<Backing> {
    const { path, maxSize, driver: choice } = this.#settings
    const driver =
      typeof choice === 'function'
        ? { Driver: choice, name: undefined }
        : await loadDriver(choice === undefined ? undefined : [choice])
    const inline = () => {
      this.#batchSize = INLINE_BATCH
      return new WriteEngine(driver.Driver, { path, maxSize, isOwnThread: false })
    }
    if (path === ':memory:') {
      const engine = inline()
      return { driver, host: engine, engine }
    }
    if (driver.name === undefined) return { driver, host: inline(), engine: undefined }
    const settings = { path, maxSize, isOwnThread: true }
    const host = new FallbackHost(new ThreadHost({ driver: driver.name, settings }), (reason) => {
      this.#warn(
        `SQLiteStorage cannot start its writing thread (${String(reason)}): writes stay on the calling thread`,
      )
      return inline()
    })
    return { driver, host, engine: undefined }
  }

  /** Takes in what the engine reports. */
  #note({ identity, notices }: OpenReport): void {
    for (const notice of notices) this.#warn(notice)
    if (this.#reader !== undefined && this.#reader.identity !== identity) this.#dropReader()
  }

  /** A file may be deleted or replaced under a process that only reads. */
  #checkIdentity(): void {
    const now = Date.now()
    const { path } = this.#settings
    if (now - this.#checkedAt < IDENTITY_INTERVAL || path === ':memory:') return
    this.#checkedAt = now
    if (this.#reader?.identity !== identityOf(path)) this.#dropReader()
  }

  #dropReader(): void {
    const reader = this.#reader
    this.#reader = undefined
    try {
      reader?.close()
    } catch {
      // It has no transaction open, so there is nothing to lose.
    }
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) {
      throw new StorageError(
        'STORAGE_UNAVAILABLE',
        'SQLiteStorage is closed: expected no operation after close()',
      )
    }
  }

  #warn(message: string): void {
    try {
      this.#settings.logger.warn(message)
    } catch {
      // A logger that throws must not fail an operation.
    }
  }
}

function toWrite(entry: { key: string; value: string | null; ttl?: number | undefined }, now: number): Write {
  const expires = expiresAt(entry.ttl, now)
  // What has expired already is a deletion.
  return { key: entry.key, value: expires !== null && expires <= now ? null : entry.value, expires }
}
