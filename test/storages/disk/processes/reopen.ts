/** Opens and closes the directory again and again; says "opened" after the first time. */

import { DiskCacheStorage } from '../../../../src/storages/disk/index.ts'

const directory = process.argv[2]!
for (;;) {
  const storage = new DiskCacheStorage(directory)
  await storage.get('opened')
  await storage.close()
  process.stdout.write('opened\n')
}
