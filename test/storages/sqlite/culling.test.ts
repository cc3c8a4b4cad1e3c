import { statSync } from 'node:fs'
import { expect, test } from 'vitest'
import { collect, Driver, newPath, openRaw, openStorage } from './setting.ts'

const MEGABYTE = 1024 ** 2

function count(path: string): number {
  const raw = new Driver(path)
  const { n } = raw.prepare('SELECT count(*) AS n FROM entry').get() as { n: number }
  raw.close()
  return n
}

test('expired rows are swept by later writes, a few with each batch', async () => {
  const path = newPath()
  const storage = openStorage({ path })
  await storage.set('one', 'v')
  const raw = openRaw(path)
  const expired = raw.prepare('INSERT INTO entry (key, expires, value) VALUES (?, 1, ?)')
  for (let i = 0; i < 300; i++) expired.run(`k${i}`, 'v')
  expect(await storage.get('k0')).toBe(null)
  expect(count(path)).toBe(301)
  await storage.set('one', 'v')
  const afterOne = count(path)
  expect(afterOne).toBeLessThan(300)
  expect(afterOne).toBeGreaterThan(250)
  for (let i = 0; i < 30; i++) await storage.set('one', 'v')
  expect(count(path)).toBe(1)
})

test('maxSize: the least recently stored entries leave, and the file stays near its limit', async () => {
  const path = newPath()
  const storage = openStorage({ path, maxSize: 2 * MEGABYTE })
  const value = 'x'.repeat(10_000)
  await storage.set('early, then stored again', value)
  await storage.set('early', value)
  for (let i = 0; i < 1_000; i++) {
    await storage.set(`k${i}`, value)
    if (i % 50 === 0) await storage.set('early, then stored again', value)
    if (i % 100 === 99) expect(statSync(path).size).toBeLessThan(2.5 * MEGABYTE)
  }
  expect(await storage.getMany(['early', 'k0', 'k999', 'early, then stored again'])).toEqual([
    null,
    null,
    value,
    value,
  ])
  const kept = (await collect(storage.keys('k'))).length
  expect(kept).toBeGreaterThan(100)
  expect(kept).toBeLessThanOrEqual(210)
})

test('maxSize: one large value makes many small ones leave at once', async () => {
  const path = newPath()
  const storage = openStorage({ path, maxSize: MEGABYTE })
  await storage.setMany(Array.from({ length: 8_000 }, (_, i) => ({ key: `k${i}`, value: 'small' })))
  await storage.set('large', 'x'.repeat(900_000))
  expect((await storage.get('large'))?.length).toBe(900_000)
  await storage.set('large', 'y'.repeat(900_000))
  await storage.close()
  expect(statSync(path).size).toBeLessThan(2 * MEGABYTE)
})

test('maxSize: entries without ttl leave when no others are left, and not before', async () => {
  const path = newPath()
  const storage = openStorage({ path, maxSize: MEGABYTE })
  const tokens = Array.from({ length: 500 }, (_, i) => ({ key: `token${i}`, value: 'small' }))
  const value = 'x'.repeat(10_000)
  await storage.setMany(tokens)
  for (let i = 0; i < 300; i++) await storage.set(`k${i}`, value, 3_600_000)
  const keys = tokens.map(({ key }) => key)
  expect((await storage.getMany(keys)).every((token) => token === 'small')).toBe(true)
  expect(await storage.getMany(['k0', 'k299'])).toEqual([null, value])

  // When all rows with a ttl are gone, their numbers are used again.
  for await (const key of storage.keys('k')) await storage.delete(key)
  for (let i = 0; i < 300; i++) await storage.set(`again${i}`, value, 3_600_000)
  expect((await storage.getMany(keys)).every((token) => token === 'small')).toBe(true)
  expect(await storage.get('again299')).toBe(value)

  for (let i = 0; i < 200; i++) await storage.set(`lasting${i}`, value)
  expect(await storage.getMany(['token0', 'again299', 'lasting199'])).toEqual([null, null, value])
})

test('maxSize: a value larger than it is not kept, and pushes nothing else out; said once', async () => {
  const storage = openStorage({ path: newPath(), maxSize: MEGABYTE })
  await storage.setMany([
    { key: 'bystander', value: 'v' },
    { key: 'large', value: 'old' },
  ])
  await storage.set('large', 'é'.repeat(600_000))
  expect(await storage.getMany(['bystander', 'large'])).toEqual(['v', null])
  expect(await storage.add('large', 'é'.repeat(600_000))).toBe(false)
  await storage.set('larger', 'é'.repeat(700_000))
  expect(storage.warnings).toEqual([expect.stringContaining('a value of 1200000 bytes was not kept')])
})

test('maxSize: a larger file shrinks, a little with each batch', async () => {
  const path = newPath()
  const before = openStorage({ path })
  const value = 'x'.repeat(1_000)
  await before.setMany(Array.from({ length: 5_000 }, (_, i) => ({ key: `k${i}`, value })))
  await before.close()
  const storage = openStorage({ path, maxSize: MEGABYTE })
  for (let i = 0; i < 40; i++) await storage.set(`later${i}`, value)
  await storage.close()
  expect(statSync(path).size).toBeLessThanOrEqual(MEGABYTE)
  expect(openRaw(path).prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' })
})
