/** L2 as the command line asks for it. */

import type { StorageBackend } from 'stackquery'
import { DiskCacheStorage } from 'stackquery/disk'
import { MemoryStorage } from 'stackquery/memory'
import { RedisStorage } from 'stackquery/redis'
import { SQLiteStorage } from 'stackquery/sqlite'
import type { StorageChoice } from './options.ts'

/** @throws InvalidOptionError (`INVALID_OPTION`) for what no storage takes */
export function openStorage(choice: StorageChoice): StorageBackend | undefined {
  switch (choice.kind) {
    case 'sqlite':
      return new SQLiteStorage(choice.path)
    case 'disk':
      return new DiskCacheStorage(choice.path)
    case 'redis':
      return new RedisStorage(choice.url)
    case 'memory':
      return new MemoryStorage()
    case 'none':
      return undefined
  }
}

/** Deletes what a run has left in a storage that stays; gives up where it is away. */
export async function sweep(storage: StorageBackend, namespace: string): Promise<void> {
  const found: string[] = []
  for await (const key of storage.keys?.(`${namespace}:`) ?? []) found.push(key)
  for (let i = 0; i < found.length; i += 500) await storage.deleteMany?.(found.slice(i, i + 500))
}
