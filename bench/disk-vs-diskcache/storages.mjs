/** The storages of this package that are measured, by name; `no storage` is the machine itself. */

import { join } from 'node:path'
import { DiskCacheStorage } from '../../dist/storages/disk/index.js'
import { SQLiteStorage } from '../../dist/storages/sqlite/index.js'

export const storages = {
  'stackquery/disk': (directory) => new DiskCacheStorage(join(directory, 'cache')),
  'stackquery/sqlite': (directory) => new SQLiteStorage(join(directory, 'cache.db')),
  'no storage': () => undefined,
}
