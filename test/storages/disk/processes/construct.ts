/** Constructs a storage and does nothing with it; then leaves, closes it, or calls `process.exit`. */

import { DiskCacheStorage } from '../../../../src/storages/disk/index.ts'

const [directory, what] = process.argv.slice(2)
const storage = new DiskCacheStorage(directory!)
if (what === 'close') await storage.close()
if (what === 'exit') process.exit(0)
