/** Appends numbered messages under a name until killed, some at a time, and says how many. */

import { DiskCacheStorage } from '../../../../src/storages/disk/index.ts'

const [directory, name] = process.argv.slice(2)
const storage = new DiskCacheStorage(directory!)
for (let count = 0; ; count += 100) {
  await storage.feed.append(Array.from({ length: 100 }, (_, index) => `${name}${count + index}`))
  process.stdout.write(`${count + 100}\n`)
}
