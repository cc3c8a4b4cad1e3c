import { statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { DiskCacheStorage } from '../../../src/storages/disk/index.ts'
import { audit } from './audit.ts'
import { collect, openStorage, scratchDirectory, startChild, until } from './scratch.ts'

const MEGABYTE = 1_000_000
/** How many times its limit is sent through a cache: more in a long run. */
const FACTOR = Number(process.env['STACKQUERY_DISK_STREAM'] ?? 5)

async function stream(
  storage: DiskCacheStorage,
  bytes: number,
  sizes: readonly number[],
  each: () => void,
): Promise<number> {
  let sent = 0
  let count = 0
  while (sent < bytes) {
    const batch = Array.from({ length: 20 }, () => {
      const size = sizes[count % sizes.length]!
      sent += size
      return { key: `k${count++}`, value: 'x'.repeat(size), ttl: 3_600_000 }
    })
    await storage.setMany(batch)
    each()
  }
  return count
}

describe('the size limit', () => {
  test.each([
    ['small values', [1_000]],
    ['values of all sizes', [20, 300, 2_500, 9_000, 50_000, 700, 300_000, 5_000]],
    ['large values', [400_000, 900_000]],
  ])('holds the file under a stream of %s', async (_, sizes) => {
    const directory = scratchDirectory()
    const sizeLimit = 10 * MEGABYTE
    const storage = openStorage({ directory, sizeLimit })
    let largest = 0
    const count = await stream(storage, FACTOR * sizeLimit, sizes, () => {
      largest = Math.max(largest, statSync(join(directory, 'data.mdb')).size)
    })
    expect(largest).toBeLessThan(sizeLimit * 1.1)
    expect(largest).toBeGreaterThan(sizeLimit * 0.5)
    expect(await storage.get(`k${count - 1}`)).toBeDefined()
    expect(await storage.get('k0')).toBeUndefined()
    await storage.close()
    expect(await audit(directory)).toEqual([])
  })

  test('lets the entry stored longest ago leave first', async () => {
    const storage = openStorage({ sizeLimit: 4 * MEGABYTE })
    await storage.set('kept', 'v')
    await storage.set('left', 'v')
    await storage.set('kept', 'v')
    let next = 0
    while ((await storage.get('left')) !== undefined) {
      await storage.set(`k${next++}`, 'x'.repeat(20_000))
      await storage.get('left')
      if (next % 20 === 0) await storage.set('kept', 'v')
    }
    expect(await storage.get('kept')).toBe('v')
  })

  test('lets the entry used longest ago leave first, where asked to', async () => {
    const storage = openStorage({ sizeLimit: 4 * MEGABYTE, eviction: 'least-recently-used' })
    await storage.set('used', 'v')
    await storage.set('unused', 'v')
    for (let next = 0; next < 800; next++) {
      if (next % 10 === 0) await storage.get('used')
      await storage.set(`k${next}`, 'x'.repeat(20_000))
    }
    expect(await storage.get('used')).toBe('v')
    const left = await collect(storage.keys(''))
    expect(left).not.toContain('unused')
  })

  test('refuses a value of more than a quarter, and does not leave the old one', async () => {
    const storage = openStorage({ sizeLimit: 2 * MEGABYTE })
    await storage.set('key', 'old')
    const sets = [storage.set('key', 'x'.repeat(600_000)), storage.set('other', 'v')]
    await expect(sets[0]).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: expect.stringMatching(/quarter of sizeLimit/),
    })
    await sets[1]
    expect(await storage.getMany(['key', 'other'])).toEqual([undefined, 'v'])
  })

  test('culls expired rows a few per write', async () => {
    const directory = scratchDirectory()
    const storage = openStorage({ directory })
    await storage.setMany(
      Array.from({ length: 300 }, (_, index) => ({ key: `k${index}`, value: 'v', ttl: 1 })),
    )
    await until(async () => (await collect(storage.keys(''))).length === 0)
    await storage.set('one', 'v')
    await storage.close()
    expect(await rowCount(directory)).toBeGreaterThan(200)
    const again = openStorage({ directory })
    for (let index = 0; index < 30; index++) await again.set('one', 'v')
    await again.close()
    expect(await rowCount(directory)).toBe(1)
    expect(await audit(directory)).toEqual([])
  })

  test('stops storing where a reader that stands still keeps pages from being reused', async () => {
    const directory = scratchDirectory()
    const sizeLimit = 4 * MEGABYTE
    const storage = openStorage({ directory, sizeLimit })
    await storage.set('a', '1')
    const reader = startChild('hold-reader', directory)
    await reader.line('reading')
    const refusal = await stream(storage, 200 * MEGABYTE, [50_000], () => {}).catch((error) => error)
    expect(refusal).toMatchObject({
      code: 'STORAGE_FAILED',
      message: expect.stringContaining(`process ${reader.process.pid} `),
    })
    expect(statSync(join(directory, 'data.mdb')).size).toBeLessThan(sizeLimit * 30)
    reader.process.kill('SIGKILL')
    await reader.ended
    await storage.set('b', '2')
    expect(await storage.get('b')).toBe('2')
  })
})

async function rowCount(directory: string): Promise<number> {
  const { open } = await import('lmdb')
  const root = open({ path: directory, noSubdir: false, maxDbs: 6, readOnly: true })
  const count = root.openDB({ name: 'values', keyEncoding: 'binary', encoding: 'binary' }).getCount()
  await root.close()
  return count
}
