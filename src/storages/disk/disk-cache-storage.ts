/**
 * `DiskCacheStorage`: a cache in a directory, on LMDB, for many gigabytes and many processes.
 *
 * Reads are look-ups in the memory map on the calling thread; writes go to a thread of its own. The calling
 * thread never waits for a lock or an fsync.
 *
 * States: idle -> opening (first operation) -> open -> closed.
 *         opening -> failed -> opening (first operation after the pause) ...
 *         open -> idle (the data file was lost: deleted, replaced, damaged).
 * The state changes in `#enter` alone. Owns the writing thread, the reading handle and one timer (for the use
 * of entries); none of them keeps the process alive while nothing is under way. `close` writes what is under
 * way, then releases all. May import siblings, errors and ports.
 */

import { StorageError } from '../../errors.ts'
import type { StorageBackend, StorageEntry } from '../../ports/storage.ts'
import { rangesOf } from './key.ts'
import { isCorruption, loadLmdb, openStores } from './lmdb.ts'
import { type DiskCacheOptions, type DiskCacheSettings, resolveOptions } from './options.ts'
import type { Operation } from './protocol.ts'
import { type KeyPage, Reader } from './reader.ts'
import { UseRecorder } from './use-recorder.ts'
import { WriterHost } from './writer-host.ts'

interface Access {
  readonly reader: Reader
  readonly writer: WriterHost
  readonly uses: UseRecorder | undefined
  readonly identity: string
}

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'opening'; readonly access: Promise<Access> }
  | { readonly kind: 'open'; readonly access: Access }
  | { readonly kind: 'failed'; readonly error: Error; readonly retryAt: number }
  | { readonly kind: 'closed'; readonly done: Promise<void> }

const FIRST_PAUSE = 100
const MAX_PAUSE = 5_000

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
  readonly #settings: DiskCacheSettings
  #state: State = { kind: 'idle' }
  #failures = 0
  #condemned: string | undefined

  /**
   * Touches nothing: the directory is opened by the first operation. One that cannot be used rejects the
   * operations, and is tried again with growing pauses (5 s at most).
   *
   * @throws INVALID_OPTION
   */
  constructor(directoryOrOptions?: string | DiskCacheOptions) {
    this.#settings = resolveOptions(directoryOrOptions)
  }

  async get(key: string): Promise<string | undefined> {
    const access = this.#state.kind === 'open' ? this.#state.access : await this.#open()
    try {
      return look(access, key)
    } catch (error) {
      throw this.#readError(access, error)
    }
  }

  /** From one snapshot. */
  async getMany(keys: readonly string[]): Promise<(string | undefined)[]> {
    const access = this.#state.kind === 'open' ? this.#state.access : await this.#open()
    try {
      return keys.map((key) => look(access, key))
    } catch (error) {
      throw this.#readError(access, error)
    }
  }

  async set(key: string, value: string, ttl?: number): Promise<void> {
    const operation = toOperation({ key, value, ttl })
    await write(await this.#open(), [operation])
  }

  async setMany(entries: readonly StorageEntry[]): Promise<void> {
    const operations = entries.map(toOperation)
    await write(await this.#open(), operations)
  }

  async delete(key: string): Promise<void> {
    await write(await this.#open(), [{ kind: 'delete', key }])
  }

  async deleteMany(keys: readonly string[]): Promise<void> {
    const operations = keys.map((key): Operation => ({ kind: 'delete', key }))
    await write(await this.#open(), operations)
  }

  /** A page of rows at a time, each from a snapshot of its own. */
  async *keys(prefix: string): AsyncGenerator<string> {
    for (const { start, end } of rangesOf(prefix)) {
      let from: Buffer | undefined = start
      while (from !== undefined) {
        const access = await this.#open()
        const page: KeyPage = this.#page(access, from, end, prefix)
        yield* page.keys
        from = page.next
        if (from !== undefined) await new Promise((resume) => setImmediate(resume))
      }
    }
  }

  /** Writes what is under way and releases the directory. Every later operation rejects. */
  async close(): Promise<void> {
    const state = this.#state
    if (state.kind !== 'closed') this.#enter({ kind: 'closed', done: this.#release(state) })
    if (this.#state.kind === 'closed') await this.#state.done
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #page(access: Access, start: Buffer, end: Buffer, prefix: string): KeyPage {
    try {
      return access.reader.keysBetween(start, end, prefix)
    } catch (error) {
      throw this.#readError(access, error)
    }
  }

  #readError(access: Access, cause: unknown): StorageError {
    if (isCorruption(cause)) this.#lose(access, access.identity)
    const { directory } = this.#settings
    return new StorageError('STORAGE_FAILED', `reading from ${directory} failed: ${String(cause)}`, { cause })
  }

  #open(): Access | Promise<Access> {
    const state = this.#state
    if (state.kind === 'open') return state.access
    if (state.kind === 'opening') return state.access
    if (state.kind === 'closed') {
      throw new StorageError('STORAGE_UNAVAILABLE', `the disk cache ${this.#settings.directory} is closed`)
    }
    if (state.kind === 'failed' && performance.now() < state.retryAt) throw state.error
    const access = this.#connect()
    this.#enter({ kind: 'opening', access })
    return access
  }

  async #connect(): Promise<Access> {
    try {
      const access = await this.#acquire()
      if (this.#state.kind === 'opening') {
        this.#failures = 0
        this.#enter({ kind: 'open', access })
      }
      return access
    } catch (error) {
      const pause = Math.min(FIRST_PAUSE * 2 ** this.#failures++, MAX_PAUSE)
      if (this.#state.kind === 'opening') {
        this.#enter({ kind: 'failed', error: error as Error, retryAt: performance.now() + pause })
      }
      throw error
    }
  }

  async #acquire(): Promise<Access> {
    const { directory, sizeLimit, eviction, logger } = this.#settings
    const lmdb = await loadLmdb()
    let access: Access | undefined
    const settings = { directory, sizeLimit, eviction, condemned: this.#condemned }
    const writer = new WriterHost(settings, logger, ({ condemned }) => {
      if (access) this.#lose(access, condemned)
    })
    const identity = await writer.opened
    this.#condemned = undefined
    try {
      const reader = new Reader(openStores(lmdb, directory, true))
      const uses = eviction === 'least-recently-used' ? new UseRecorder(writer) : undefined
      access = { reader, writer, uses, identity }
      return access
    } catch (cause) {
      await writer.close()
      throw new StorageError('STORAGE_UNAVAILABLE', `opening ${directory} failed: ${String(cause)}`, {
        cause,
      })
    }
  }

  #lose(access: Access, condemned: string | undefined): void {
    this.#condemned = condemned ?? this.#condemned
    if (this.#state.kind !== 'open' || this.#state.access !== access) return
    this.#enter({ kind: 'idle' })
    void releaseAccess(access)
  }

  async #release(state: State): Promise<void> {
    if (state.kind === 'open') await releaseAccess(state.access)
    if (state.kind === 'opening') {
      const access = await state.access.catch(() => undefined)
      if (access) await releaseAccess(access)
    }
  }

  #enter(state: State): void {
    this.#state = state
  }
}

function look({ reader, uses }: Access, key: string): string | undefined {
  const value = reader.get(key)
  if (value !== undefined) uses?.add(key)
  return value
}

function write({ writer, uses }: Access, operations: readonly Operation[]): Promise<void> {
  // What was used before a write is newer than what the write makes leave.
  uses?.flush()
  return writer.write(operations)
}

async function releaseAccess({ reader, writer, uses }: Access): Promise<void> {
  uses?.flush()
  // The reader first: whoever leaves last flushes the file, and that must be the thread.
  await reader.close()
  await writer.close()
}

function toOperation({ key, value, ttl }: StorageEntry): Operation {
  if (ttl === undefined) return { kind: 'set', key, value, expiresAt: Infinity }
  if (ttl <= 0) return { kind: 'delete', key }
  return { kind: 'set', key, value, expiresAt: Date.now() + Math.ceil(ttl) }
}
