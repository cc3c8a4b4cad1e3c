/** Calls `process.exit` while a thread does nothing but look at its stores, or (`open`) open its lock. */

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import {
  createGateWord,
  type GateWord,
  guardExit,
  TransactionGate,
} from '../../../../src/resilience/transaction-gate.ts'
import { FlushMarker } from '../../../../src/storages/disk/flush-marker.ts'
import { loadLmdb, openStores } from '../../../../src/storages/disk/lmdb.ts'
import { WriteLock } from '../../../../src/storages/disk/write-lock.ts'

if (isMainThread) {
  const gate = createGateWord()
  guardExit(gate)
  const thread = new Worker(new URL(import.meta.url), {
    workerData: { directory: process.argv[2], mode: process.argv[3], gate },
  })
  thread.once('message', () => setTimeout(() => process.exit(7), 20))
} else {
  const { directory, mode, gate } = workerData as { directory: string; mode: string; gate: GateWord }
  mkdirSync(directory)
  const lmdb = await loadLmdb()
  const lock = new WriteLock(lmdb, directory, new TransactionGate(gate))
  const stores = openStores(lmdb, directory, false)
  const marker = new FlushMarker(directory, lock)
  parentPort?.postMessage('open')
  for (let i = 0; ; i++) {
    if (mode !== 'open') await marker.settleIfQuiet(stores)
    else await new WriteLock(lmdb, join(directory, String(i)), new TransactionGate(gate)).close()
  }
}
