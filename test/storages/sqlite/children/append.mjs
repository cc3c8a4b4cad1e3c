/** Appends numbered messages under a name for ever, some at a time, and says how many. */

import { SQLiteStorage } from '../../../../dist/storages/sqlite/index.js'

const [path, name] = process.argv.slice(2)
const storage = new SQLiteStorage(path)
for (let count = 0; ; count += 100) {
  if (count > 0) console.log(count)
  await storage.feed.append(Array.from({ length: 100 }, (_, i) => `${name}${count + i}`))
}
