/** Writes `count` entries under `prefix`, some at a time, then says how many it has; or for ever, with no count. */

import { SQLiteStorage } from '../../../../dist/storages/sqlite/index.js'

const [path, prefix, count = Number.POSITIVE_INFINITY] = process.argv.slice(2)
const storage = new SQLiteStorage(path)
let acknowledged = 0
for (let i = 0; i < Number(count); i += 50) {
  await Promise.all(
    Array.from({ length: 50 }, (_, j) => storage.set(`${prefix}${i + j}`, `${i + j}:`.repeat(200))),
  )
  acknowledged = i + 50
  if (count === Number.POSITIVE_INFINITY) console.log(acknowledged)
}
console.log('done')
