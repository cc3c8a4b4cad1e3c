import { randomUUID } from 'node:crypto'
import { createClient } from 'redis'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { RedisStorage } from '../../../src/storages/redis/index.ts'
import { until } from '../../servers/redis-cluster.ts'
import { redisUrl } from '../../servers/redis-url.ts'
import { type Opened, open, toServer } from './clients.ts'

const raw = createClient({ url: redisUrl() })
beforeAll(() => raw.connect())
afterAll(() => raw.destroy())

async function all(keys: AsyncIterable<string>): Promise<string[]> {
  const found: string[] = []
  for await (const key of keys) found.push(key)
  return found.sort()
}

describe.each(Object.entries(toServer))('RedisStorage with %s', (_, connect) => {
  let opened: Opened
  const prefix = `test-${randomUUID()}:`
  const key = (name: string) => prefix + name
  beforeAll(async () => {
    opened = await open(connect, redisUrl())
  })
  afterAll(() => opened.close())

  test('holds what was set until it is deleted', async () => {
    const { storage } = opened
    expect(await storage.get(key('a'))).toBeNull()
    await storage.set(key('a'), '{"x":1}')
    expect(await storage.get(key('a'))).toBe('{"x":1}')
    await storage.set(key('a'), '')
    expect(await storage.get(key('a'))).toBe('')
    await storage.delete(key('a'))
    await storage.delete(key('a'))
    expect(await storage.get(key('a'))).toBeNull()
  })

  test('gives Redis whole milliseconds, rounded up, and none where there is no end', async () => {
    const { storage } = opened
    const sent: string[] = []
    const monitor = raw.duplicate()
    await monitor.connect()
    await monitor.monitor((line) => {
      if (String(line).includes(key('fraction'))) sent.push(String(line))
    })
    await storage.set(key('fraction'), 'v', 0.01)
    await storage.setMany([{ key: key('fraction'), value: 'v', ttl: 1_000.2 }])
    await until('both were seen', async () => sent.length >= 2)
    monitor.destroy()
    expect(sent[0]).toMatch(/"PX" "1"$/i)
    expect(sent[1]).toMatch(/"PX" "1001"$/i)
    await storage.set(key('long'), 'v', 3_600_000.5)
    expect(await raw.pTTL(key('long'))).toBeGreaterThan(3_500_000)
    expect(await raw.pTTL(key('long'))).toBeLessThanOrEqual(3_600_001)
    for (const ttl of [undefined, Number.POSITIVE_INFINITY, 1e30, Number.MAX_VALUE]) {
      await storage.set(key('endless'), 'v', ttl)
      expect(await raw.pTTL(key('endless'))).toBe(-1)
    }
    await storage.set(key('huge'), 'v', Number.MAX_SAFE_INTEGER)
    expect(await storage.get(key('huge'))).toBe('v')
  })

  test('takes a ttl of zero or below as run out already, and refuses one that is no number', async () => {
    const { storage } = opened
    await storage.setMany([
      { key: key('zero'), value: 'old' },
      { key: key('kept'), value: 'v' },
    ])
    await storage.set(key('zero'), 'new', 0)
    expect(await storage.get(key('zero'))).toBeNull()
    await storage.setMany([
      { key: key('kept'), value: 'v', ttl: -5 },
      { key: key('other'), value: 'v' },
    ])
    expect(await storage.getMany([key('kept'), key('other')])).toEqual([null, 'v'])
    await expect(storage.set(key('zero'), 'v', Number.NaN)).rejects.toMatchObject({ code: 'INVALID_OPTION' })
  })

  test('reads, writes and deletes batches, in order', async () => {
    const { storage } = opened
    const names = Array.from({ length: 1_000 }, (__, index) => key(`batch:${index}`))
    await storage.setMany(names.map((name, index) => ({ key: name, value: `v${index}`, ttl: 60_000 })))
    expect(await storage.getMany([...names, key('absent')])).toEqual([
      ...names.map((__, index) => `v${index}`),
      null,
    ])
    expect(await raw.pTTL(names[500]!)).toBeGreaterThan(0)
    await storage.deleteMany(names.slice(1))
    expect(await storage.getMany(names.slice(0, 3))).toEqual(['v0', null, null])
    await storage.setMany([])
    await storage.deleteMany([])
    expect(await storage.getMany([])).toEqual([])
  })

  test('lists every key of a prefix once, over many pages, and no other', async () => {
    const { storage } = opened
    const names = Array.from({ length: 5_000 }, (__, index) => key(`many:${index}`))
    await storage.setMany(names.map((name) => ({ key: name, value: 'v' })))
    await storage.set(key('man'), 'v')
    expect(await all(storage.keys(key('many:')))).toEqual([...names].sort())
    expect(await all(storage.keys(key('none')))).toEqual([])
  })

  test('takes the characters of a glob in a prefix as they are', async () => {
    const { storage } = opened
    for (const part of ['a*c', 'a?c', '[abc]', 'a\\c', '^', '{a}', 'a-b']) {
      await storage.set(key(`glob:${part}:1`), 'v')
      await storage.set(key('glob:abc:1'), 'v')
      expect(await all(storage.keys(key(`glob:${part}:`)))).toEqual([key(`glob:${part}:1`)])
    }
  })

  test('changes no code unit of a key or a value', async () => {
    const { storage } = opened
    const texts = ['\u0000\r\n', 'é€😀', '\ufeffbom', '\ufffe', '\ufffed800', '\ufffd', '\ud800', '\udfff!']
    texts.push('\udc00\ud800', 'x'.repeat(3_000_000), '😀'.repeat(100_000), '__proto__', ' ', '\u2028')
    const entries = texts.map((text) => ({ key: key(`unit:${text.slice(0, 50)}`), value: text }))
    await storage.setMany(entries)
    expect(await storage.getMany(entries.map((entry) => entry.key))).toEqual(texts)
    for (const entry of entries) expect(await storage.get(entry.key)).toBe(entry.value)
    expect(await all(storage.keys(key('unit:')))).toEqual(entries.map((entry) => entry.key).sort())
    expect(await all(storage.keys(key('unit:\ud83d')))).toEqual([key(`unit:${'😀'.repeat(25)}`)])
    await storage.deleteMany(entries.map((entry) => entry.key))
    expect(await all(storage.keys(key('unit:')))).toEqual([])
  })

  test('rejects with what Redis answered where it refuses a command', async () => {
    const { storage } = opened
    await raw.hSet(key('hash'), 'field', 'value')
    await expect(storage.get(key('hash'))).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: expect.stringContaining('WRONGTYPE'),
    })
    expect(await storage.getMany([key('hash')])).toEqual([null])
    // @ts-expect-error: a caller without types
    await expect(storage.set(key('a'), 1)).rejects.toMatchObject({ code: 'STORAGE_FAILED' })
  })

  test('adds what is not there, once, for its ttl, and leaves what is there as it was', async () => {
    const { storage } = opened
    const tries = Array.from({ length: 10 }, (__, index) => storage.add(key('added'), `\ud800${index}`))
    const added = await Promise.all(tries)
    expect(added.filter(Boolean)).toHaveLength(1)
    expect(await storage.get(key('added'))).toBe(`\ud800${added.indexOf(true)}`)
    expect(await raw.pTTL(key('added'))).toBe(-1)
    expect(await storage.add(key('added'), 'new', 5)).toBe(false)
    expect(await raw.pTTL(key('added'))).toBe(-1)
    expect(await storage.add(key('added-ttl'), 'v', 59_999.5)).toBe(true)
    expect(await raw.pTTL(key('added-ttl'))).toBeGreaterThan(50_000)
    expect(await storage.add(key('added-huge'), 'v', Number.POSITIVE_INFINITY)).toBe(true)
    expect(await raw.pTTL(key('added-huge'))).toBe(-1)
    expect(await storage.add(key('added-short'), 'v', 0)).toBe(true)
    await until('it has run out', async () => storage.add(key('added-short'), 'w'))
    await expect(storage.add(key('a'), 'v', Number.NaN)).rejects.toMatchObject({ code: 'INVALID_OPTION' })
    await expect(storage.add(key('a'), 1 as never)).rejects.toMatchObject({ code: 'STORAGE_FAILED' })
  })

  test('renews a lease for its holder only, for as long as is asked, and not once it is lost', async () => {
    const { lease } = opened.storage
    const name = `${key('leased')}\ufffelease`
    const token = (await lease.acquire(key('leased'), 60_000))!
    expect(await raw.pTTL(name)).toBeGreaterThan(50_000)
    expect(await lease.renew!(key('leased'), token, 600_000)).toBe(true)
    expect(await raw.pTTL(name)).toBeGreaterThan(500_000)
    expect(await lease.renew!(key('leased'), 'wrong', 1)).toBe(false)
    expect(await raw.pTTL(name)).toBeGreaterThan(500_000)
    expect(await lease.renew!(key('leased'), token, Number.POSITIVE_INFINITY)).toBe(true)
    expect(await raw.pTTL(name)).toBe(-1)
    expect(await lease.renew!(key('leased'), token, 0.5)).toBe(true)
    await until('it has run out', async () => !(await lease.renew!(key('leased'), token, 1)))
    expect(await lease.acquire(key('leased'), 60_000)).not.toBe(token)
    expect(await lease.renew!(key('leased'), token, 60_000)).toBe(false)
    await expect(lease.acquire(key('b'), Number.NaN)).rejects.toMatchObject({ code: 'INVALID_OPTION' })
  })

  test('lists neither leases nor the feed, and deletes no lease with its value', async () => {
    const { storage } = opened
    await storage.feed.append(['1'])
    await storage.lease.acquire(key('unlisted'), 60_000)
    expect(await all(storage.keys(key('unlisted')))).toEqual([])
    expect(await raw.exists('sq:feed')).toBe(1)
    expect(await all(storage.keys('sq:f'))).toEqual([])
  })

  test('serves many operations at once', async () => {
    const { storage } = opened
    const numbers = Array.from({ length: 500 }, (__, index) => index)
    await Promise.all(numbers.map((number) => storage.set(key(`many-${number}`), String(number))))
    expect(await Promise.all(numbers.map((number) => storage.get(key(`many-${number}`))))).toEqual(
      numbers.map(String),
    )
  })

  test('is closed for good after close, and answers what was asked before', async () => {
    const { storage, close } = await open(connect, redisUrl())
    await storage.set(key('closing'), 'v')
    const asked = storage.get(key('closing'))
    await storage.close()
    expect(await asked).toBe('v')
    const closed = { code: 'STORAGE_UNAVAILABLE', message: expect.stringContaining('closed') }
    await expect(storage.get(key('a'))).rejects.toMatchObject(closed)
    await expect(storage.setMany([{ key: key('a'), value: 'v' }])).rejects.toMatchObject(closed)
    await expect(all(storage.keys(''))).rejects.toMatchObject(closed)
    await close()
  })
})

test.each([
  ['emptied', 'its own client'],
  ['left as it is', 'a client that was given'],
])('the list of a reply that was read is %s, with %s', async (_, whose) => {
  let owner: object = raw
  while (!Object.hasOwn(owner, 'sendCommand')) owner = Object.getPrototypeOf(owner)
  const sent = vi.spyOn(owner as typeof raw, 'sendCommand')
  const given = whose === 'its own client' ? undefined : await createClient({ url: redisUrl() }).connect()
  const storage = new RedisStorage(given === undefined ? { url: redisUrl() } : { client: given })
  try {
    const [a, b] = [`test-${randomUUID()}`, `test-${randomUUID()}`]
    await storage.setMany([
      { key: a, value: '1' },
      { key: b, value: 'lone \ud800' },
    ])
    for (const keys of [[a], [a, b]]) {
      const read = await storage.getMany(keys)
      expect(read).toEqual(keys.map((key) => (key === a ? '1' : 'lone \ud800')))
      const reply = await sent.mock.results.at(-1)?.value
      // V8 may take for long-lived what the driver keeps of a command; then it must not hold what was read.
      expect(reply).toHaveLength(given === undefined ? 0 : keys.length)
    }
  } finally {
    sent.mockRestore()
    await storage.close()
    given?.destroy()
  }
})
