/**
 * The thread in which a `WriteEngine` runs. Started by thread-host.ts, never imported.
 */

import { parentPort, workerData } from 'node:worker_threads'
import { loadDriver } from './load-driver.ts'
import {
  flattenError,
  packCommit,
  type ThreadAnswer,
  type ThreadData,
  type ThreadRequest,
} from './thread-message.ts'
import { WriteEngine } from './write-engine.ts'

const { driver, settings } = workerData as ThreadData
const engine = loadDriver([driver]).then(({ Driver }) => new WriteEngine(Driver, settings))
engine.catch(() => {})

parentPort?.on('message', (request: ThreadRequest) => {
  perform(request)
    .catch((error): ThreadAnswer => ({ id: request.id, error: flattenError(error) }))
    .then((answer) => parentPort?.postMessage(answer))
})

async function perform(request: ThreadRequest): Promise<ThreadAnswer> {
  const { id } = request
  const target = await engine
  if (request.call === 'open') return { id, report: await target.open(request.isSuspect) }
  if (request.call === 'commit') return packCommit(id, await target.commit(request.batch))
  await target.close()
  return { id }
}
