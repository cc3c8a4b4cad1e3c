import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { collect, openStorage, until } from './scratch.ts'

describe('values', () => {
  test.each([
    ['empty', ''],
    ['NUL', '\0a\0'],
    ['ASCII', 'plain'],
    ['Latin-1', 'é\xff'],
    ['emoji', '\u{1f600}'],
    ['lone surrogates', '\ud800x\udfff'],
    ['one byte under a chunk', 'a'.repeat(32_719)],
    ['one chunk and more', 'a'.repeat(32_745)],
    ['16 MB', 'a'.repeat(16_000_000)],
    ['16 MB beyond Latin-1', '\u{1f600}'.repeat(4_000_000)],
  ])('come back as they were: %s', async (_, value) => {
    const storage = openStorage()
    await storage.set('key', value)
    expect((await storage.get('key')) === value).toBe(true)
  })

  test('of any keys come back, and keys are told apart', async () => {
    const storage = openStorage()
    const text = fc.string({
      unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
    })
    await fc.assert(
      fc.asyncProperty(fc.dictionary(text, text), async (entries) => {
        const keys = Object.keys(entries)
        await storage.setMany(keys.map((key) => ({ key, value: entries[key]! })))
        expect(await storage.getMany(keys)).toEqual(keys.map((key) => entries[key]))
        expect(await collect(storage.keys(''))).toEqual([...keys].sort())
        await storage.deleteMany(keys)
      }),
      { numRuns: 50 },
    )
  })

  test.each([
    ['lone surrogates', '\ud800', '\ud801'],
    ['long', `${'k'.repeat(3_000)}a`, `${'k'.repeat(3_000)}b`],
    ['long, of lone surrogates', '\ud800'.repeat(600), '\ud801'.repeat(600)],
    ['with NUL', 'a\0b', 'a\0c'],
    ['empty', '', '\0'],
  ])('do not mix under keys that are alike: %s', async (_, first, second) => {
    const storage = openStorage()
    await storage.set(first, '1')
    expect(await storage.get(second)).toBeUndefined()
    await storage.set(second, '2')
    expect(await storage.getMany([first, second])).toEqual(['1', '2'])
    await storage.delete(first)
    expect(await storage.getMany([first, second])).toEqual([undefined, '2'])
  })

  test('are replaced whole, large by small and small by large', async () => {
    const storage = openStorage()
    for (const size of [10, 200_000, 50, 100_000, 0]) {
      await storage.set('key', 'x'.repeat(size))
      expect((await storage.get('key'))?.length).toBe(size)
    }
  })

  test('written at once to one key leave the last one', async () => {
    const storage = openStorage()
    await Promise.all([storage.set('key', '1'), storage.delete('key'), storage.set('key', '2')])
    expect(await storage.get('key')).toBe('2')
  })
})

describe('keys', () => {
  test('are listed by prefix, whatever their form', async () => {
    const storage = openStorage()
    const long = `user:${'x'.repeat(1_000)}`
    const keys = ['user:1', 'user:\ud800', 'user:\u{1f600}', long, 'other', 'use']
    await storage.setMany(keys.map((key) => ({ key, value: 'v' })))
    expect(await collect(storage.keys('user:'))).toEqual(keys.filter((key) => key.startsWith('user:')).sort())
    expect(await collect(storage.keys('user:\ud83d'))).toEqual(['user:\u{1f600}'])
    expect(await collect(storage.keys(long))).toEqual([long])
    expect(await collect(storage.keys('none'))).toEqual([])
  })

  test('over many pages are listed once each, also while they change', async () => {
    const storage = openStorage()
    const keys = Array.from({ length: 2_000 }, (_, index) => `k${index}`)
    await storage.setMany(keys.map((key) => ({ key, value: 'v' })))
    const seen: string[] = []
    for await (const key of storage.keys('k')) {
      if (seen.push(key) % 500 === 0) await storage.set(`a${key}`, 'v')
    }
    expect(seen.sort()).toEqual(keys.sort())
  })
})

describe('expiry', () => {
  test('hides a row at its instant, from reads and listings', async () => {
    const storage = openStorage()
    await storage.setMany([
      { key: 'short', value: '1', ttl: 30 },
      { key: 'long', value: '2', ttl: 60_000 },
      { key: 'none', value: '3' },
    ])
    await until(async () => (await storage.get('short')) === undefined)
    expect(await collect(storage.keys(''))).toEqual(['long', 'none'])
  })

  test('of a fraction is a millisecond, of zero at once, of any length no overflow', async () => {
    const storage = openStorage()
    await storage.set('zero', '1')
    await storage.set('zero', '2', 0)
    expect(await storage.get('zero')).toBeUndefined()
    for (const ttl of [2 ** 31, 2 ** 53, Number.MAX_VALUE, Infinity]) {
      await storage.set('huge', String(ttl), ttl)
      expect(await storage.get('huge')).toBe(String(ttl))
    }
    await storage.set('fraction', '1', 0.4)
    await until(async () => (await storage.get('fraction')) === undefined)
  })

  test('of a replaced row does not touch the new one', async () => {
    const storage = openStorage()
    await storage.set('key', 'old', 1)
    await storage.set('key', 'new')
    await until(() => Date.now() % 50 < 5)
    for (let index = 0; index < 5; index++) await storage.set(`other${index}`, 'v')
    expect(await storage.get('key')).toBe('new')
  })
})
