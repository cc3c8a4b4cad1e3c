/** Writes until killed; says the number of each round once all of it is stored. */

import { DiskCacheStorage } from '../../../../src/storages/disk/index.ts'
import { burstEntries } from '../burst-entries.ts'

const storage = new DiskCacheStorage(process.argv[2]!)
const name = process.argv[3]!
for (let round = 0; ; round++) {
  await storage.setMany(burstEntries(name, round))
  process.stdout.write(`${round}\n`)
}
