/** Prints what it hears of the feed; stays until its input says "end", or, told not to wait, has nothing else to do. */

import { createInterface } from 'node:readline'
import { SQLiteStorage } from '../../../../dist/storages/sqlite/index.js'

const [path, waits] = process.argv.slice(2)
const storage = new SQLiteStorage(path)
await storage.feed.follow(
  (messages) => console.log(messages.join(' ')),
  (reason) => console.log(`gap: ${reason}`),
)
console.log('following')
if (waits === 'wait') {
  for await (const line of createInterface({ input: process.stdin })) if (line === 'end') break
  process.stdin.destroy()
  await storage.close()
}
