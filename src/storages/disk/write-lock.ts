/**
 * The lock that all processes on a directory hold while they write to it, or open its data file.
 *
 * LMDB has a lock for writers, but opening does not take it, and yet sets the shared number of the last
 * transaction to the one it read a moment before: a transaction that another process committed in between is
 * lost, and its pages are given out twice (LMDB's ITS#9496; in `lmdb` up to 3.5.6 at least). So openers and
 * writers exclude each other here, by the write lock of a second environment. It is always empty: nothing is
 * ever committed to it, so that an opening of it can undo nothing. Like every lock of LMDB it is free again when
 * its holder dies.
 *
 * Runs in the writing thread and blocks it. Owns the second environment. Opened and closed under the opening
 * mutex. May import siblings.
 */

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { TransactionGate } from '../../resilience/transaction-gate.ts'
import { inspectDataFile } from './inspect-data-file.ts'
import type { LmdbModule, LmdbRoot } from './lmdb.ts'

const LOCK_DIRECTORY = 'stackquery-cache.lock'

export class WriteLock {
  readonly #root: LmdbRoot
  readonly #gate: TransactionGate

  constructor(lmdb: LmdbModule, directory: string, gate: TransactionGate) {
    this.#gate = gate
    this.#root = gate.run(() => openEmpty(lmdb, join(directory, LOCK_DIRECTORY)))
  }

  run<T>(work: () => T): T {
    return this.#gate.run(() => this.#root.transactionSync(work))
  }

  /** Without the lock, for looks at the stores: a process that ends in the middle of one would abort. */
  look<T>(work: () => T): T {
    return this.#gate.run(work)
  }

  close(): Promise<void> {
    return this.#root.close()
  }
}

function openEmpty(lmdb: LmdbModule, path: string): LmdbRoot {
  // Not flushed when the machine went down, for one. Nothing is in it, and nobody can have it open.
  if (inspectDataFile(path) !== undefined) rmSync(path, { recursive: true })
  return lmdb.open({ path, noSubdir: false, maxDbs: 1, maxReaders: 1_000, noSync: true })
}
