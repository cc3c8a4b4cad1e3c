/**
 * Whether the data file is all on the disk: a marker file that is there while it may not be.
 *
 * Invariants: the marker is on the disk before the first change that is not; it is removed only when no change
 * came after a flush. Both happen under the write lock, so they hold for all processes together. It names the
 * boot of the machine it was set in: found in another boot, the machine went down in between, and the data file
 * may mix pages of several states. It is then deleted: none of them could be trusted, and an old one would bring
 * back what was invalidated. May import resilience and siblings.
 */

import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { bootName, isThisBoot } from '../../resilience/boot-name.ts'
import { discardData } from './directory.ts'
import type { CacheStores } from './lmdb.ts'
import type { WriteLock } from './write-lock.ts'

const MARKER_FILE = 'stackquery-cache.unflushed'

export class FlushMarker {
  readonly #directory: string
  readonly #path: string
  readonly #lock: WriteLock
  #lastSeen: number | undefined
  #settled: Promise<void> = Promise.resolve()

  constructor(directory: string, lock: WriteLock) {
    this.#lock = lock
    this.#directory = directory
    this.#path = join(directory, MARKER_FILE)
  }

  /** Before the stores are opened, under the lock. Returns whether the data had to go. */
  discardUntrusted(): boolean {
    if (this.#isTrusted()) return false
    discardData(this.#directory)
    rmSync(this.#path, { force: true })
    return true
  }

  /** Inside a write transaction, before its first change. Waits for the disk once after each flush. */
  set(): void {
    if (existsSync(this.#path)) return
    // Whole or not there: a process that begins now reads it without the lock.
    const draft = `${this.#path}.draft`
    const file = openSync(draft, 'w')
    writeSync(file, bootName())
    fsyncSync(file)
    closeSync(file)
    renameSync(draft, this.#path)
    syncDirectory(this.#directory)
  }

  /** `settle` if no process has changed anything since the last call. */
  async settleIfQuiet(stores: CacheStores): Promise<void> {
    const lastTxnId = this.#lock.look(() => lastTransaction(stores))
    const isQuiet = lastTxnId === this.#lastSeen
    this.#lastSeen = lastTxnId
    if (isQuiet) await this.settle(stores)
  }

  /**
   * Flushes the data file, and removes the marker if nothing was changed meanwhile. One after the other: when the
   * last has resolved none is under way, and the stores may be closed (under a flush, LMDB would hang for ever).
   */
  settle(stores: CacheStores): Promise<void> {
    const settled = this.#settled.then(() => this.#flush(stores))
    this.#settled = settled.catch(() => {})
    return settled
  }

  async #flush(stores: CacheStores): Promise<void> {
    if (!existsSync(this.#path)) return
    const { root, values } = stores
    const lastTxnId = this.#lock.look(() => lastTransaction(stores))
    const isFlushed = await new Promise<boolean>((resolve) => root.sync((error) => resolve(!error)))
    if (!isFlushed) return
    const transact = (work: () => void) => this.#lock.run(() => root.transactionSync(work))
    transact(() => {
      if (values.getStats().lastTxnId === lastTxnId) rmSync(this.#path, { force: true })
    })
  }

  #isTrusted(): boolean {
    try {
      return isThisBoot(readFileSync(this.#path, 'utf8'))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true
      throw error
    }
  }
}

/** Leaves no snapshot behind: it would keep pages from being reused while this thread waits for the lock. */
function lastTransaction({ root, values }: CacheStores): number {
  root.resetReadTxn()
  const { lastTxnId } = values.getStats()
  root.resetReadTxn()
  return lastTxnId
}

function syncDirectory(directory: string): void {
  // Windows has no such thing; it writes directories through.
  if (process.platform === 'win32') return
  const handle = openSync(directory, 'r')
  fsyncSync(handle)
  closeSync(handle)
}
