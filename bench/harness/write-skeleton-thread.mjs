/** Stores each message's rows with their expiry, and what it tells the peers, in one transaction, and says so. */

import { parentPort, workerData } from 'node:worker_threads'
import { openSqlite } from './raw-sqlite.mjs'

const { database } = await openSqlite(workerData)
database.exec('CREATE TABLE IF NOT EXISTS message (id INTEGER PRIMARY KEY AUTOINCREMENT, text NOT NULL)')
database.exec(
  'CREATE TABLE stored (id INTEGER PRIMARY KEY, key NOT NULL UNIQUE, expires INTEGER, value NOT NULL)',
)
database.exec('CREATE INDEX stored_expires ON stored (expires)')
const upsert = database.prepare(
  'INSERT INTO stored (key, value, expires) VALUES (?, ?, ?) ' +
    'ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires = excluded.expires',
)
const tell = database.prepare('INSERT INTO message (text) VALUES (?)')
const trim = database.prepare('DELETE FROM message WHERE id <= (SELECT max(id) FROM message) - 10000')

parentPort.on('message', ({ keys, values, expires, texts }) => {
  database.exec('BEGIN IMMEDIATE')
  for (let i = 0; i < keys.length; i++) upsert.run(keys[i], values[i], expires[i])
  for (const text of texts) tell.run(text)
  if (texts.length > 0) trim.run()
  database.exec('COMMIT')
  parentPort.postMessage(keys.length)
})
parentPort.postMessage(0)
