/**
 * The way of one storage to its directory: opens it, and again after a failure or a loss.
 *
 * States: opening (from the beginning) -> open -> closed.
 *         opening -> failed -> opening (first operation after the pause) ...
 *         open -> idle (the data file was lost: deleted, replaced, damaged) -> opening (next operation).
 * The state changes in `#enter` alone. An opening that no operation awaits keeps no process alive, and its failure is
 * the next operation's. Owns the writing thread, the reading handle and the recorder of uses; `close` writes what is under way, then releases all. May import siblings, errors.
 */

import { StackQueryError, StorageError } from '../../errors.ts'
import { isCorruption, loadLmdb, openStores } from './lmdb.ts'
import type { DiskCacheSettings } from './options.ts'
import { Reader } from './reader.ts'
import { UseRecorder } from './use-recorder.ts'
import { WriterHost } from './writer-host.ts'

export interface Access {
  readonly reader: Reader
  readonly writer: WriterHost
  readonly uses: UseRecorder | undefined
  readonly identity: string
}

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'opening'; readonly access: Promise<Access>; readonly writer: WriterHost }
  | { readonly kind: 'open'; readonly access: Access }
  | { readonly kind: 'failed'; readonly error: Error; readonly retryAt: number }
  | { readonly kind: 'closed'; readonly done: Promise<void> }

const FIRST_PAUSE = 100
const MAX_PAUSE = 5_000

export class DirectoryAccess {
  readonly #settings: DiskCacheSettings
  #state: State = { kind: 'idle' }
  #failures = 0
  #condemned: string | undefined

  constructor(settings: DiskCacheSettings) {
    this.#settings = settings
    void this.#prepare()
  }

  /** What can be used at once. */
  get ready(): Access | undefined {
    return this.#state.kind === 'open' ? this.#state.access : undefined
  }

  /** @throws StorageError; MissingDriverError */
  async open(): Promise<Access> {
    const state = this.#state
    if (state.kind === 'open') return state.access
    if (state.kind === 'closed') throw this.closedError()
    if (state.kind === 'failed' && performance.now() < state.retryAt) throw state.error
    const opening = state.kind === 'opening' ? state.access : this.#begin()
    if (this.#state.kind === 'opening') this.#state.writer.await()
    return opening
  }

  /** What is to be thrown for an error of the reader. */
  readError(access: Access, cause: unknown): StorageError {
    if (isCorruption(cause)) this.#lose(access, access.identity)
    const { directory } = this.#settings
    return new StorageError('STORAGE_FAILED', `reading from ${directory} failed: ${String(cause)}`, { cause })
  }

  closedError(): StorageError {
    return new StorageError('STORAGE_UNAVAILABLE', `the disk cache ${this.#settings.directory} is closed`)
  }

  async close(): Promise<void> {
    const state = this.#state
    if (state.kind !== 'closed') this.#enter({ kind: 'closed', done: this.#release(state) })
    if (this.#state.kind === 'closed') await this.#state.done
  }

  async #prepare(): Promise<void> {
    try {
      await this.#begin()
    } catch {
      // Said by the first operation.
    }
  }

  #begin(): Promise<Access> {
    const { directory, sizeLimit, eviction, feedLength, logger } = this.#settings
    const settings = { directory, sizeLimit, eviction, feedLength, condemned: this.#condemned }
    let access: Access | undefined
    const writer = new WriterHost(settings, logger, ({ condemned }) => {
      if (access) this.#lose(access, condemned)
    })
    const opening = this.#connect(writer).then((opened) => {
      access = opened
      return opened
    })
    this.#enter({ kind: 'opening', access: opening, writer })
    return opening
  }

  async #connect(writer: WriterHost): Promise<Access> {
    try {
      const access = await this.#acquire(writer)
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

  async #acquire(writer: WriterHost): Promise<Access> {
    const { directory, eviction } = this.#settings
    try {
      // At the same time as the thread does: each needs it.
      const lmdb = await loadLmdb()
      const identity = await writer.opened
      this.#condemned = undefined
      const reader = new Reader(openStores(lmdb, directory, true))
      const uses = eviction === 'least-recently-used' ? new UseRecorder(writer) : undefined
      return { reader, writer, uses, identity }
    } catch (cause) {
      await writer.close()
      if (cause instanceof StackQueryError) throw cause
      const text = `opening ${directory} failed: ${String(cause)}`
      throw new StorageError('STORAGE_UNAVAILABLE', text, { cause })
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
      state.writer.await()
      const access = await state.access.catch(() => undefined)
      if (access) await releaseAccess(access)
    }
  }

  #enter(state: State): void {
    this.#state = state
  }
}

async function releaseAccess({ reader, writer, uses }: Access): Promise<void> {
  uses?.flush()
  // The reader first: whoever leaves last flushes the file, and that must be the thread.
  await reader.close()
  await writer.close()
}
