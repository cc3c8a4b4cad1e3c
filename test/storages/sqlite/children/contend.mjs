/** Takes a lease `rounds` times, adding one to a number under it, and says how often; then adds a key of its own. */

import { SQLiteStorage } from '../../../../dist/storages/sqlite/index.js'

const [path, name, rounds] = process.argv.slice(2)
const storage = new SQLiteStorage(path)
let won = 0
while (won < Number(rounds)) {
  const token = await storage.lease.acquire('lease', 10_000)
  if (token === null) {
    await new Promise((resolve) => setTimeout(resolve, 5 * Math.random()))
    continue
  }
  await storage.set('count', String(Number((await storage.get('count')) ?? 0) + 1))
  await storage.lease.release('lease', token)
  won += 1
}
console.log(won)
console.log(String(await storage.add('added', name)))
