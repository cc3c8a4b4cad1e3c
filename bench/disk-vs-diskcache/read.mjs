/** A read and JSON.parse through the storage beside the same through the raw driver. See README.md. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { open } from 'lmdb'
import { DiskCacheStorage } from '../../dist/storages/disk/index.js'

const ROWS = 10_000
const READS = 100_000
const parent = mkdtempSync(join(tmpdir(), 'disk-read-'))
const raw = open({ path: join(parent, 'raw'), noSubdir: false, encoding: 'string' })
const storage = new DiskCacheStorage(join(parent, 'storage'))
const keyOf = (index) => `sq:entry:["user",${(index * 7_919) % ROWS}]`

// Time of the processor: a read never waits, and a busy machine then changes nothing.
function perRead(from) {
  const { user, system } = process.cpuUsage(from)
  return (user + system) / READS
}

async function time(read) {
  for (let index = 0; index < READS / 10; index++) await read(index)
  const from = process.cpuUsage()
  for (let index = 0; index < READS; index++) await read(index)
  return perRead(from)
}

async function timeMany(read) {
  const from = process.cpuUsage()
  for (let index = 0; index < READS; index += 100) {
    await Promise.all(Array.from({ length: 100 }, (_, offset) => read(index + offset)))
  }
  return perRead(from)
}

for (const size of [100, 700, 5_000]) {
  const value = JSON.stringify({
    f: 1,
    d: { id: 1, name: 'x'.repeat(size), list: [1, 2, { a: 1, b: 'z' }] },
    t: 1,
  })
  await raw.transaction(() => {
    for (let index = 0; index < ROWS; index++) raw.put(keyOf(index), value)
  })
  await storage.setMany(
    Array.from({ length: ROWS }, (_, index) => ({ key: keyOf(index), value, ttl: 3_600_000 })),
  )
  const readRaw = async (index) => JSON.parse(raw.get(keyOf(index)))
  const readStorage = async (index) => JSON.parse(await storage.get(keyOf(index)))
  const rows = {}
  for (const [name, measure] of [
    ['one at a time', time],
    ['100 at a time', timeMany],
  ]) {
    let [driver, ours] = [Infinity, Infinity]
    for (let round = 0; round < 5; round++) {
      driver = Math.min(driver, await measure(readRaw))
      ours = Math.min(ours, await measure(readStorage))
    }
    rows[name] = {
      'raw driver, us': driver.toFixed(2),
      'storage, us': ours.toFixed(2),
      ratio: (ours / driver).toFixed(2),
    }
  }
  console.log(`values of about ${size} bytes`)
  console.table(rows)
}
await Promise.all([raw.close(), storage.close()])
rmSync(parent, { recursive: true, force: true })
