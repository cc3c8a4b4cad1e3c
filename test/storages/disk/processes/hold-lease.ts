/** Takes the lease of `key` for `ttl` milliseconds, says "held", and keeps it. */

import { DiskCacheStorage } from '../../../../src/storages/disk/index.ts'

const [directory, key, ttl] = process.argv.slice(2)
const storage = new DiskCacheStorage(directory!)
const token = await storage.lease.acquire(key!, Number(ttl))
process.stdout.write(token === null ? 'refused\n' : 'held\n')
setInterval(() => {}, 60_000)
