/**
 * The writing side of one file: opens it, commits batches, waits out locks, replaces a corrupt file.
 *
 * Runs in a thread of its own (write-thread.ts) or on the calling thread. It never sleeps in SQLite's busy
 * handler: a locked file is tried again from a timer, for at most `BUSY_LIMIT`.
 * States: closed -> open (first call) -> closed (after an error that the connection may not outlive, or when
 * the file at the path is no longer ours) -> open (next call) ... -> ended (`close`).
 * Invariants: calls run one after the other, in their order; a batch that cannot be written whole is halved,
 * so that one bad entry spoils no other. Owns its connection and the timer that looks whether the file is quiet.
 * May import siblings and errors.
 */

import { setImmediate as turn } from 'node:timers/promises'
import { StorageError } from '../../errors.ts'
import { Committer, type WriteBatch } from './committer.ts'
import { connect, type EngineSettings } from './connect.ts'
import type { SQLiteConnection, SQLiteDriver } from './driver.ts'
import { UnflushedError } from './flush-mark.ts'
import { type Guard, patiently, unguarded } from './patiently.ts'
import { FULL, isBusy, isCorrupt, resultCode, toStorageError } from './result-code.ts'
import { readPragma } from './schema.ts'
import { discard, identityOf, setAside } from './set-aside.ts'
import { setDurable } from './tune.ts'

export interface OpenReport {
  /** The file at the path: a reader of another one reads what nobody writes any more. */
  readonly identity: string | undefined
  readonly notices: readonly string[]
}

export interface CommitReport extends OpenReport {
  /** Index in the batch -> error, for each entry that was not written. */
  readonly failures: ReadonlyMap<number, Error>
  /** Indices of what was refused; see `Committer`. */
  readonly refused: readonly number[]
}

/** A full disk, or a statement's own error: nothing is wrong with the connection. */
const SURVIVED = new Set([FULL, 1, 18])
const BUSY_LIMIT = 10_000
const SETTLE_LIMIT = 200
const QUIET = 1_000

export class WriteEngine {
  readonly #Driver: SQLiteDriver
  readonly #settings: EngineSettings
  readonly #guard: Guard
  #connection: SQLiteConnection | undefined
  #committer: Committer | undefined
  #identity: string | undefined
  #isEnded = false
  #hasToldTooLarge = false
  readonly #notices: string[] = []
  #tail: Promise<unknown> = Promise.resolve()
  #commits = 0
  #quiet: NodeJS.Timeout | undefined

  /** `guard` runs all that is done with the connection: the thread's, which must not be ended amid it. */
  constructor(Driver: SQLiteDriver, settings: EngineSettings, guard = unguarded) {
    this.#Driver = Driver
    this.#settings = settings
    this.#guard = guard
  }

  /** For a reader on the same thread, which may share it. */
  get connection(): SQLiteConnection | undefined {
    return this.#connection
  }

  /** `isSuspect`: a reader met corruption or an error that it cannot explain. */
  open(isSuspect: boolean): Promise<OpenReport> {
    return this.#inTurn(async () => {
      try {
        if (isSuspect) await this.#examine()
        await this.#ensureOpen()
      } catch (error) {
        throw toStorageError(error, this.#settings.path)
      }
      return this.#report()
    })
  }

  commit(batch: WriteBatch): Promise<CommitReport> {
    return this.#inTurn(async () => {
      if (!this.#settings.isOwnThread) await turn()
      const failures = new Map<number, Error>()
      const refused = await this.#commitRange(batch, 0, batch.keys.length, failures)
      // A reader on this thread may hold what it has seen to the turn's end.
      if (!this.#settings.isOwnThread) await turn()
      return { ...this.#report(), failures, refused }
    })
  }

  close(): Promise<void> {
    return this.#inTurn(async () => {
      this.#isEnded = true
      await this.#settle()
      this.#disconnect()
    })
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(work)
    this.#tail = result.catch(() => {})
    return result
  }

  #report(): OpenReport {
    return { identity: this.#identity, notices: this.#notices.splice(0) }
  }

  async #commitRange(
    batch: WriteBatch,
    from: number,
    to: number,
    failures: Map<number, Error>,
  ): Promise<readonly number[]> {
    try {
      return await this.#onSoundFile(async () => {
        await this.#ensureOpen()
        this.#commits++
        this.#watchQuiet()
        return patiently(BUSY_LIMIT, () => this.#committer!.commit(batch, from, to), this.#guard)
      })
    } catch (error) {
      const isHopeless = this.#connection === undefined || isBusy(error) || to - from === 1
      if (!isHopeless) {
        const middle = (from + to) >>> 1
        const refused = await this.#commitRange(batch, from, middle, failures)
        return [...refused, ...(await this.#commitRange(batch, middle, to, failures))]
      }
      const reason = toStorageError(error, this.#settings.path)
      for (let i = from; i < to; i++) failures.set(i, reason)
      return []
    }
  }

  /**
   * Runs `work`, and once more where its failure was the file's: one found corrupt is set aside first, one that
   * was replaced under the connection is left for the one that is there now.
   */
  async #onSoundFile<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      const { path } = this.#settings
      if (isCorrupt(error) || error instanceof UnflushedError) {
        await this.#replaceFile(error)
      } else {
        if (isBusy(error) || SURVIVED.has(resultCode(error))) throw error
        const identity = this.#identity
        const wasOpen = this.#connection !== undefined
        this.#disconnect()
        if (!wasOpen || identityOf(path) === identity) throw error
      }
      return work()
    }
  }

  async #replaceFile(error: unknown): Promise<void> {
    const { path } = this.#settings
    this.#disconnect()
    if (error instanceof UnflushedError) {
      if (await patiently(BUSY_LIMIT, () => discard(path, this.#identity), this.#guard))
        this.#notices.push(`${error.message}; it is begun anew`)
      return
    }
    const target = await patiently(BUSY_LIMIT, () => setAside(path, this.#identity), this.#guard)
    if (target === undefined) return
    const what = `was corrupt (${error instanceof Error ? error.message : error}): set aside as ${JSON.stringify(target)}, a new one was begun`
    this.#notices.push(`SQLite file ${JSON.stringify(path)} ${what}`)
  }

  async #examine(): Promise<void> {
    this.#disconnect()
    await this.#onSoundFile(async () => {
      await this.#ensureOpen()
      const verdict = readPragma(this.#connection!, 'quick_check(1)')
      if (verdict !== 'ok') throw Object.assign(new Error(`malformed: ${String(verdict)}`), { errcode: 11 })
    })
  }

  async #ensureOpen(): Promise<void> {
    if (this.#isEnded) throw new StorageError('STORAGE_UNAVAILABLE', 'SQLiteStorage is closed')
    const { path } = this.#settings
    if (this.#connection !== undefined && (path === ':memory:' || identityOf(path) === this.#identity)) return
    this.#disconnect()
    await this.#onSoundFile(() => patiently(BUSY_LIMIT, () => this.#connect(), this.#guard))
  }

  #connect(): void {
    const connection = connect(this.#Driver, this.#settings, (identity) => {
      this.#identity = identity
    })
    this.#committer = new Committer(connection, {
      ...this.#settings,
      onTooLarge: (size) => this.#tellTooLarge(size),
    })
    this.#connection = connection
    this.#watchQuiet()
  }

  /** Once nobody has written for a while, what is there is made to outlive the machine. */
  #watchQuiet(): void {
    if (this.#quiet !== undefined || !this.#settings.isOwnThread) return
    let seen: unknown
    this.#quiet = setInterval(() => {
      void this.#inTurn(async () => {
        const now = `${this.#commits} ${this.#committer?.version()}`
        if (now === seen) await this.#settle()
        seen = now
      })
    }, QUIET).unref()
  }

  async #settle(): Promise<void> {
    clearInterval(this.#quiet)
    this.#quiet = undefined
    try {
      await patiently(SETTLE_LIMIT, () => this.#committer?.settle(), this.#guard)
      if (!this.#isEnded || this.#connection === undefined) return
      // What the last one to close moves out of the log has to be on the disk before the log goes.
      this.#guard(() => {
        setDurable(this.#connection!, true, this.#settings)
        // With some drivers a connection lives on after its closing, until its statements are collected.
        this.#connection!.exec('PRAGMA wal_checkpoint(PASSIVE)')
      })
    } catch {
      // Another one writes, and settles later; or else the file stays unflushed, which costs misses at most.
    }
  }

  #tellTooLarge(size: number): void {
    const { path, maxSize } = this.#settings
    const what = `a value of ${size} bytes was not kept, as maxSize is ${maxSize}; said once`
    if (!this.#hasToldTooLarge) this.#notices.push(`SQLite file ${JSON.stringify(path)}: ${what}`)
    this.#hasToldTooLarge = true
  }

  #disconnect(): void {
    const connection = this.#connection
    this.#connection = undefined
    this.#committer = undefined
    try {
      this.#guard(() => connection?.close())
    } catch {
      // Its file is gone or unreadable; there is nothing left to give back.
    }
  }
}
