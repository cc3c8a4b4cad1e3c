/**
 * The thread in which a `WriteEngine` runs. Started by thread-host.ts, never imported. Where the driver cannot
 * be loaded in a second thread, the thread ends without an answer, which its host understands.
 */

import { setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { TransactionGate } from '../../resilience/transaction-gate.ts'
import { loadDriver } from './load-driver.ts'
import {
  flattenError,
  packCommit,
  type ThreadAnswer,
  type ThreadData,
  type ThreadRequest,
} from './thread-message.ts'
import { WriteEngine } from './write-engine.ts'

/** Where processor time is short, an event loop goes before any thread's writes. */
const NICENESS = 5
if (process.platform === 'linux') {
  try {
    // To Linux, 0 is the calling thread alone; elsewhere it would be the whole process.
    setPriority(0, NICENESS)
  } catch {
    // Not allowed here, and nothing but fairness depends on it.
  }
}

const { drivers, settings, gate: word } = workerData as ThreadData
const gate = new TransactionGate(word)
const { Driver } = await loadDriver(drivers)
const engine = new WriteEngine(Driver, settings, (work) => gate.run(work))

parentPort?.on('message', (request: ThreadRequest) => {
  perform(request)
    .catch((error): ThreadAnswer => ({ id: request.id, error: flattenError(error) }))
    .then((answer) => parentPort?.postMessage(answer))
})

async function perform(request: ThreadRequest): Promise<ThreadAnswer> {
  const { id } = request
  if (request.call === 'open') return { id, report: await engine.open(request.isSuspect) }
  if (request.call === 'commit') return packCommit(id, await engine.commit(request.batch))
  await engine.close()
  return { id }
}
