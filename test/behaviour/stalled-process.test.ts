/** A process that stands still must not blame its L2 for that. */

import { stat } from 'node:fs'
import { expect, test } from 'vitest'
import { QueryClient } from '../../src/index.ts'

const STORAGE_TIMEOUT = 50

test('an answer that lay unread while the event loop was blocked is no outage', async () => {
  let askedFor = 0
  const answerBehindTimers = (): Promise<null> => {
    askedFor++
    return new Promise((resolve) => stat('.', () => resolve(null)))
  }
  const client = new QueryClient({
    storage: { get: answerBehindTimers, set: answerBehindTimers, delete: answerBehindTimers },
    storageTimeout: STORAGE_TIMEOUT,
  })
  const data = client.fetchQuery({ queryKey: ['k'], queryFn: () => 'data' })
  await undefined
  while (askedFor === 0) await new Promise(setImmediate)
  const until = performance.now() + 3 * STORAGE_TIMEOUT
  while (performance.now() < until);

  expect(await data).toBe('data')
  await client.flush()
  expect(client.stats().storage).toMatchObject({ outages: 0, circuit: 'closed', pending: 0 })
  await client.close()
})
