/**
 * The size on disk of a cache with a limit of 100 MB under a stream of 1 GB, over time.
 *
 *   npm run build && node bench/storages/disk-limit.mjs
 *
 * Values of 100 bytes to 1 MB, one in ten with a short ttl, written by two processes; a third one reads.
 */
import { fork } from 'node:child_process'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { DiskCacheStorage } from '../../dist/storages/disk/index.js'

const MB = 1_000_000
const LIMIT = 100 * MB
const STREAM = 1_000 * MB
const WRITERS = 2
const SIZES = [100, 1_000, 1_000, 10_000, 10_000, 100_000, 1_000_000]

const [directory, writer] = process.argv.slice(2)

if (writer !== undefined) {
  const storage = new DiskCacheStorage({ directory, sizeLimit: LIMIT })
  let failed = 0
  for (let written = 0, number = 0; written < STREAM / WRITERS; ) {
    const batch = Array.from({ length: 10 }, () => {
      const size = Math.ceil(SIZES[number % SIZES.length] * (0.5 + Math.random()))
      written += size
      const ttl = number % 10 === 0 ? 1_000 : 3_600_000
      return { key: `${writer}:${number++}`, value: `${number}`.padEnd(size, 'x'), ttl }
    })
    await storage.setMany(batch).catch(() => failed++)
    process.send({ written })
  }
  await storage.close()
  process.send({ failed }, () => process.disconnect())
} else {
  const parent = mkdtempSync(join(tmpdir(), 'disk-limit-'))
  const place = join(parent, 'cache')
  const from = performance.now()
  const children = Array.from({ length: WRITERS }, (_, index) =>
    fork(fileURLToPath(import.meta.url), [place, `w${index}`]),
  )
  const written = children.map(() => 0)
  let failed = 0
  const ended = children.map((child, index) => {
    child.on('message', (message) => {
      if (message.written !== undefined) written[index] = message.written
      failed += message.failed ?? 0
    })
    return new Promise((resolve) => child.once('exit', resolve))
  })
  let isOver = false
  const all = Promise.all(ended).then(() => {
    isOver = true
  })
  const storage = new DiskCacheStorage({ directory: place, sizeLimit: LIMIT })
  const size = () => (statSync(join(place, 'data.mdb'), { throwIfNoEntry: false })?.size ?? 0) / MB
  const total = () => written.reduce((sum, each) => sum + each, 0) / MB
  let largest = 0
  let next = 0
  console.log('  time, s   written, MB   data file, MB')
  const line = () =>
    console.log(
      [(performance.now() - from) / 1_000, total(), size()].map((n) => n.toFixed(1).padStart(12)).join(''),
    )
  while (!isOver) {
    largest = Math.max(largest, size())
    if (total() >= next) {
      line()
      next += 50
    }
    await storage.get(`w0:${Math.floor(Math.random() * 5_000)}`)
    await sleep(5)
  }
  await all
  line()
  let count = 0
  let bytes = 0
  for await (const key of storage.keys('')) {
    count++
    bytes += (await storage.get(key))?.length ?? 0
  }
  await storage.close()
  console.log(
    `largest ${largest.toFixed(1)} MB; ${count} entries of ${(bytes / MB).toFixed(1)} MB are left; batches that failed: ${failed}`,
  )
  rmSync(parent, { recursive: true, force: true })
}
