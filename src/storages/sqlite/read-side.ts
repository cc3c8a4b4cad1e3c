/**
 * The reading side of one file, on the calling thread: opens it, notices when it is replaced, tries again.
 *
 * States: closed -> open (first read) -> closed (after an error, or when the file at the path has become
 * another) -> open (next read) ... -> ended (`close`). A file that is ready is opened here, in about a
 * millisecond (once up to 30, where all processes were killed and left a full log of 16 MB to be read);
 * anything else is first put right by the writing side, off this thread.
 * Owns its reader; has no timer of its own but the pause before another try. May import siblings and errors.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { StorageError } from '../../errors.ts'
import type { Backing } from './backing.ts'
import { Reader } from './reader.ts'
import { isBusy, isCorrupt, toStorageError } from './result-code.ts'
import { identityOf } from './set-aside.ts'
import type { OpenReport } from './write-engine.ts'

const BUSY_LIMIT = 1_000
/** How often a reader makes sure that its file is still the one at the path. */
const IDENTITY_INTERVAL = 1_000
const MAX_FAILURES = 2

export class ReadSide {
  readonly #path: string
  readonly #back: () => Promise<Backing>
  readonly #note: (report: OpenReport) => void
  #reader: Reader | undefined
  #opening: Promise<Reader> | undefined
  #checkedAt = 0
  #isEnded = false

  constructor(path: string, back: () => Promise<Backing>, note: (report: OpenReport) => void) {
    this.#path = path
    this.#back = back
    this.#note = note
  }

  /** The reader of the file that is at the path now, if there is one; one is on its way otherwise. */
  current(): Reader | undefined {
    if (this.#isEnded) return undefined
    this.#checkIdentity()
    this.prepare()
    return this.#reader
  }

  /** @throws StorageError; MissingDriverError */
  async read<T>(work: (reader: Reader) => T): Promise<T> {
    const deadline = performance.now() + BUSY_LIMIT
    let isSuspect = false
    for (let failures = 0; ; ) {
      this.#checkIdentity()
      const reader = this.#reader ?? (await this.#open(isSuspect))
      try {
        return work(reader)
      } catch (error) {
        if (isBusy(error) && performance.now() < deadline) {
          // A log that another process recovers or clears: short, but longer than a turn of this loop.
          await sleep(1 + 4 * Math.random())
          continue
        }
        if (this.#reader === reader) this.#drop()
        if (++failures === MAX_FAILURES) throw toStorageError(error, this.#path)
        isSuspect = isCorrupt(error)
      }
    }
  }

  /** The file is ready: so is the reader, from now on. Never fails: the next read does. */
  prepare(): void {
    if (this.#isEnded || this.#reader !== undefined) return
    this.#open(false).catch(() => {})
  }

  /** The writing side has told which file is at the path. */
  follow(identity: string | undefined): void {
    if (this.#reader !== undefined && this.#reader.identity !== identity) this.#drop()
  }

  async close(): Promise<void> {
    this.#isEnded = true
    await this.#opening?.catch(() => {})
    this.#drop()
  }

  #open(isSuspect: boolean): Promise<Reader> {
    this.#opening ??= this.#openReader(isSuspect).finally(() => {
      this.#opening = undefined
    })
    return this.#opening
  }

  async #openReader(isSuspect: boolean): Promise<Reader> {
    const { Driver, host, engine } = await this.#back()
    const path = this.#path
    let needsCheck = isSuspect
    if (engine === undefined && !isSuspect) {
      try {
        return this.#use(new Reader({ Driver, path }))
      } catch (error) {
        // Not there, or not as it should be: the writing side makes it so, or says why it cannot.
        needsCheck = isCorrupt(error)
      }
    }
    this.#assertOpen()
    this.#note(await host.open(needsCheck))
    try {
      return this.#use(new Reader(engine?.connection ?? { Driver, path }))
    } catch (error) {
      throw toStorageError(error, path)
    }
  }

  #use(reader: Reader): Reader {
    this.#reader = reader
    this.#checkedAt = Date.now()
    return reader
  }

  /** A file may be deleted or replaced under a process that only reads. */
  #checkIdentity(): void {
    this.#assertOpen()
    const now = Date.now()
    if (now - this.#checkedAt < IDENTITY_INTERVAL || this.#path === ':memory:') return
    this.#checkedAt = now
    this.follow(identityOf(this.#path))
  }

  #assertOpen(): void {
    if (this.#isEnded) throw closedError()
  }

  #drop(): void {
    const reader = this.#reader
    this.#reader = undefined
    try {
      reader?.close()
    } catch {
      // It has no transaction open, so there is nothing to lose.
    }
  }
}

export function closedError(): StorageError {
  return new StorageError(
    'STORAGE_UNAVAILABLE',
    'SQLiteStorage is closed: expected no operation after close()',
  )
}
