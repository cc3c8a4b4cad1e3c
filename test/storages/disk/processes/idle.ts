/** Leaves the storage open, with a write under way: must end by itself, having written it. */

import { DiskCacheStorage } from '../../../../src/storages/disk/index.ts'

const storage = new DiskCacheStorage(process.argv[2]!)
await storage.set('a', '1')
await storage.get('a')
void storage.set('b', '2')
