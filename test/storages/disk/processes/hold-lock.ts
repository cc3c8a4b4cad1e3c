/** Holds the write lock of a directory from "held" until the file `release` is there. */

import { existsSync, mkdirSync, writeSync } from 'node:fs'
import { createGateWord, TransactionGate } from '../../../../src/resilience/transaction-gate.ts'
import { loadLmdb } from '../../../../src/storages/disk/lmdb.ts'
import { WriteLock } from '../../../../src/storages/disk/write-lock.ts'

const [directory, release] = [process.argv[2]!, process.argv[3]!]
mkdirSync(directory, { recursive: true })
const lock = new WriteLock(await loadLmdb(), directory, new TransactionGate(createGateWord()))
lock.run(() => {
  writeSync(1, 'held\n')
  while (!existsSync(release)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
})
