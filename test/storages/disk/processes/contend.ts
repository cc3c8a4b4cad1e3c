/** Takes a lease `rounds` times, adding one to a number under it; then adds a key of its own, and says whether it did. */

import { DiskCacheStorage } from '../../../../src/storages/disk/index.ts'

const [directory, name, rounds] = process.argv.slice(2)
const storage = new DiskCacheStorage(directory!)
for (let won = 0; won < Number(rounds); ) {
  const token = await storage.lease.acquire('lease', 10_000)
  if (token === null) {
    await new Promise((resolve) => setTimeout(resolve, 5 * Math.random()))
    continue
  }
  await storage.set('count', String(Number((await storage.get('count')) ?? 0) + 1))
  await storage.lease.release('lease', token)
  won++
}
process.stdout.write(`${await storage.add('added', name!)}\n`)
