/** Writes each message's rows in one transaction, and says so. */

import { parentPort, workerData } from 'node:worker_threads'
import { openSqlite } from './raw-sqlite.mjs'

const { database } = await openSqlite(workerData)
const upsert = database.prepare(
  'INSERT INTO entry (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
)

parentPort.on('message', ({ keys, values }) => {
  database.exec('BEGIN IMMEDIATE')
  for (let i = 0; i < keys.length; i++) upsert.run(keys[i], values[i])
  database.exec('COMMIT')
  parentPort.postMessage(keys.length)
})
parentPort.postMessage(0)
