/** Writes and reads once, leaves the storage open, and has nothing else to do. */

import { SQLiteStorage } from '../../../../dist/storages/sqlite/index.js'

const storage = new SQLiteStorage(process.argv[2])
const attempt = (work) =>
  work.then(
    (value) => ({ value }),
    ({ name, code, message }) => ({ error: { name, code, message } }),
  )
const written = await attempt(storage.set('key', 'value'))
const read = await attempt(storage.get('key'))
console.log(JSON.stringify({ written, read }))
