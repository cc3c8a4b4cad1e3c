import { describe, expect, test } from 'vitest'
import { SQLiteStorage } from '../../../src/storages/sqlite/index.ts'
import { collect, Driver, newPath, openStorage, until } from './setting.ts'

const ODD = [
  '',
  'plain',
  'a\0b',
  '\0',
  'lone high \ud800',
  '\udc00 lone low',
  '\ufeffbyte order mark',
  '😀 é 漢',
  "quote ' and -- comment",
  '%_\\*?',
  'x'.repeat(100_000),
  '漢'.repeat(50_000),
]

describe.each([
  ['a file, writes in a thread', () => openStorage({ path: newPath() })],
  ['a file, writes on the calling thread', () => openStorage({ path: newPath(), driver: Driver })],
  ['a file, from the sources', () => new SQLiteStorage({ path: newPath(), driver: Driver })],
  ['memory', () => openStorage({ path: ':memory:' })],
])('SQLiteStorage on %s', (_, open) => {
  test('gives back what was stored, and null for what was not', async () => {
    const storage = open()
    expect(await storage.get('absent')).toBe(null)
    await storage.set('key', 'one')
    await storage.set('key', 'two')
    expect(await storage.get('key')).toBe('two')
    await storage.delete('key')
    await storage.delete('never there')
    expect(await storage.get('key')).toBe(null)
  })

  test('carries any string, as key and as value', async () => {
    const storage = open()
    for (const text of ODD) await storage.set(text, text)
    for (const text of ODD) expect(await storage.get(text)).toBe(text)
    expect(await storage.getMany(ODD)).toEqual(ODD)
    expect((await collect(storage.keys(''))).sort()).toEqual([...ODD].sort())
    await storage.deleteMany(ODD)
    expect(await collect(storage.keys(''))).toEqual([])
  })

  test('shows a write to its own process before it has settled', async () => {
    const storage = open()
    await storage.set('key', 'old')
    const writes = [storage.set('key', 'new'), storage.delete('other')]
    expect(await storage.get('key')).toBe('new')
    expect(await storage.getMany(['key', 'other'])).toEqual(['new', null])
    await Promise.all(writes)
    expect(await storage.get('key')).toBe('new')
  })

  test('stores and deletes in batches larger than one transaction, in order', async () => {
    const storage = open()
    const entries = Array.from({ length: 2_345 }, (_, i) => ({ key: `k${i}`, value: `v${i}` }))
    await storage.setMany([...entries, { key: 'k7', value: 'again' }])
    const keys = entries.map(({ key }) => key)
    const values = await storage.getMany([...keys, 'absent'])
    expect(values).toEqual([...entries.map(({ value }, i) => (i === 7 ? 'again' : value)), null])
    await storage.deleteMany(keys.slice(0, 2_000))
    expect((await collect(storage.keys('k'))).sort()).toEqual(keys.slice(2_000).sort())
    await storage.setMany([])
    await storage.deleteMany([])
    expect(await storage.getMany([])).toEqual([])
  })

  test('keeps an entry for its ttl and no longer', async () => {
    const storage = open()
    await storage.setMany([
      { key: 'short', value: 'v', ttl: 30 },
      { key: 'long', value: 'v', ttl: 2 ** 40 },
      { key: 'huge', value: 'v', ttl: Number.MAX_VALUE },
      { key: 'endless', value: 'v', ttl: Number.POSITIVE_INFINITY },
      { key: 'none', value: 'v' },
    ])
    await until(async () => (await storage.get('short')) === null)
    expect(await storage.getMany(['short', 'long', 'huge', 'endless', 'none'])).toEqual([
      null,
      'v',
      'v',
      'v',
      'v',
    ])
    expect((await collect(storage.keys(''))).sort()).toEqual(['endless', 'huge', 'long', 'none'])
  })

  test('takes a ttl of 0 for a deletion', async () => {
    const storage = open()
    await storage.set('key', 'old')
    await storage.set('key', 'new', 0)
    expect(await storage.get('key')).toBe(null)
  })

  test('lets a write without ttl take away an earlier ttl', async () => {
    const storage = open()
    await storage.setMany([
      { key: 'kept', value: 'old', ttl: 20 },
      { key: 'gone', value: 'old', ttl: 20 },
    ])
    await storage.set('kept', 'new')
    await until(async () => (await storage.get('gone')) === null)
    expect(await storage.get('kept')).toBe('new')
  })

  test('lists the keys under a prefix, and only those', async () => {
    const storage = open()
    const keys = ['a', 'a:', 'a:1', 'a:\0', 'a:\ud800', 'a;', 'b', 'A:1', '\ud83d', '😀', '😀1', '\uffff']
    await storage.setMany(keys.map((key) => ({ key, value: 'v' })))
    const under = async (prefix: string) => (await collect(storage.keys(prefix))).sort()
    for (const prefix of ['', 'a', 'a:', 'a:\0', 'b', 'c', '\ud83d', '😀', '\uffff', 'a:\ud800']) {
      expect(await under(prefix), JSON.stringify(prefix)).toEqual(
        keys.filter((key) => key.startsWith(prefix)).sort(),
      )
    }
  })

  test('lists keys over many pages while others are written', async () => {
    const storage = open()
    const keys = Array.from({ length: 1_500 }, (_, i) => `p${i}`)
    await storage.setMany(keys.map((key) => ({ key, value: 'v' })))
    const found = new Set<string>()
    for await (const key of storage.keys('p')) {
      found.add(key)
      if (found.size % 500 === 0) await storage.set(`q${found.size}`, 'v')
    }
    expect([...found].sort()).toEqual(keys.sort())
  })

  test('rejects what is no string and a ttl that is none, naming the value', async () => {
    const storage = open()
    await expect(storage.set('key', 'v', '1s' as never)).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringContaining('"1s"'),
    })
    await expect(storage.set('key', 'v', Number.NaN)).rejects.toMatchObject({ code: 'INVALID_OPTION' })
    await expect(storage.set('key', 5 as never)).rejects.toMatchObject({ code: 'INVALID_OPTION' })
    await expect(storage.delete({} as never)).rejects.toMatchObject({ code: 'INVALID_OPTION' })
    expect(await storage.get('key')).toBe(null)
  })

  test('finishes its writes when it is closed, and rejects what comes later', async () => {
    const storage = open()
    const writes = Array.from({ length: 1_000 }, (_, i) => storage.set(`k${i}`, 'v'))
    await Promise.all([storage.close(), storage.close()])
    await Promise.all(writes)
    const closed = { code: 'STORAGE_UNAVAILABLE', message: expect.stringContaining('closed') }
    await expect(storage.get('k1')).rejects.toMatchObject(closed)
    await expect(storage.set('k1', 'v')).rejects.toMatchObject(closed)
    await expect(storage.getMany(['k1'])).rejects.toMatchObject(closed)
    await expect(collect(storage.keys(''))).rejects.toMatchObject(closed)
  })

  test('closes without ever having been used', async () => {
    await open().close()
  })
})

test('two storages in one process share a file', async () => {
  const path = newPath()
  const one = openStorage({ path })
  const two = openStorage({ path })
  await one.set('key', 'from one')
  expect(await two.get('key')).toBe('from one')
  await two.set('key', 'from two')
  expect(await one.get('key')).toBe('from two')
})

test('a file survives being closed, and is found again without starting a thread', async () => {
  const path = newPath()
  const before = openStorage({ path })
  await before.set('key', 'kept')
  await before.close()
  expect(await openStorage({ path }).get('key')).toBe('kept')
})
