/** Writes its own keys one by one and some that all write; says "done" when all are stored. */

import { DiskCacheStorage } from '../../../../src/storages/disk/index.ts'

const [directory, name, count] = [process.argv[2]!, process.argv[3]!, Number(process.argv[4])]
const storage = new DiskCacheStorage(directory)
for (let index = 0; index < count; index++) {
  await Promise.all([
    storage.set(`${name}:${index}`, `${name} ${index}`),
    storage.set(`shared:${index % 10}`, name),
    index % 3 === 0 ? storage.delete(`${name}:${index - 1}`) : undefined,
  ])
}
process.stdout.write('done\n')
