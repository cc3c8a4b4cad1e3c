/** Calls `process.exit` while a thread does nothing but look at its stores. */

import { mkdirSync } from 'node:fs'
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
  const thread = new Worker(new URL(import.meta.url), { workerData: { directory: process.argv[2], gate } })
  thread.once('message', () => setTimeout(() => process.exit(7), 20))
} else {
  const { directory, gate } = workerData as { directory: string; gate: GateWord }
  mkdirSync(directory)
  const lmdb = await loadLmdb()
  const lock = new WriteLock(lmdb, directory, new TransactionGate(gate))
  const stores = openStores(lmdb, directory, false)
  const marker = new FlushMarker(directory, lock)
  parentPort?.postMessage('open')
  for (;;) await marker.settleIfQuiet(stores)
}
