/** Calls `process.exit` in the middle of a burst of writes. */

import { DiskCacheStorage } from '../../../../src/storages/disk/index.ts'
import { burstEntries } from '../burst-entries.ts'

const storage = new DiskCacheStorage(process.argv[2]!)
await storage.set('begun', '1')
for (const name of ['a', 'b', 'c']) void write(name)
setTimeout(() => process.exit(7), 5 + Number(process.argv[3]) * 20)

async function write(name: string): Promise<void> {
  for (let round = 0; ; round++) await storage.setMany(burstEntries(name, round))
}
