import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { clusterSlot } from '../../../src/storages/redis/cluster-slot.ts'
import { RedisStorage } from '../../../src/storages/redis/index.ts'
import * as options from '../../../src/storages/redis/redis-options.ts'
import { decodeText, encodeText } from '../../../src/storages/redis/text-codec.ts'

describe('the URL of RedisStorage', () => {
  test.each([
    ['redis://localhost', { host: 'localhost', port: 6379, database: 0 }],
    ['redis://', { host: 'localhost' }],
    ['redis://h:1/', { host: 'h', port: 1, database: 0 }],
    ['redis://h/12', { database: 12 }],
    ['redis://[::1]:7/3', { host: '::1', port: 7, database: 3 }],
    ['redis://u%3A:p%40%2F@h', { username: 'u:', password: 'p@/' }],
    ['redis://:p@h', { username: undefined, password: 'p' }],
    ['redis://h', { tls: undefined }],
    ['rediss://h', { tls: {} }],
  ])('%s is understood', (url, expected) => {
    expect(options.parseRedisUrl(url)).toMatchObject(expected)
  })

  test.each([
    ['', /expected redis\[s\]:\/\//],
    ['localhost', /got "localhost"/],
    ['localhost:6379', /a protocol of redis:/],
    ['http://h', /got "http:\/\/h"/],
    ['redis://h/x', /database number/],
    ['redis://h/1/2', /database number/],
    ['redis://h/-1', /database number/],
    ['redis://h:99999', /got "redis:\/\/h:99999"/],
    ['redis://h?db=1', /neither query nor fragment/],
    ['redis://u:%@h', /percent-encoded/],
  ])('%j is refused at construction, quoted', (url, message) => {
    expect(() => new RedisStorage(url)).toThrow(message)
    expect(() => new RedisStorage({ url })).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
  })

  test.each([
    'redis://:s3cret@h/x',
    'redis://u:s3cret@x@h/x',
    'redis://:s3cret/s3cret@h:6379/0',
    'http://u:s3cret@h',
    'u:s3cret@h',
    'redis://h?password=s3cret',
  ])('the password of %j is not quoted', (url) => {
    let message = ''
    try {
      new RedisStorage(url)
    } catch (error) {
      message = String(error)
    }
    expect(message).toContain('***')
    expect(message).not.toContain('s3cret')
  })
})

test('options out of their range are refused at construction', () => {
  const invalid = expect.objectContaining({ code: 'INVALID_OPTION' })
  for (const value of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, '5']) {
    expect(() => new RedisStorage({ connectTimeout: value as number })).toThrow(invalid)
    expect(() => new RedisStorage({ replyTimeout: value as number })).toThrow(invalid)
  }
  for (const value of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '5']) {
    expect(() => new RedisStorage({ feedLength: value as number })).toThrow(invalid)
  }
  for (const value of ['', 5]) expect(() => new RedisStorage({ feedKey: value as string })).toThrow(invalid)
  expect(() => new RedisStorage({ url: 'redis://h', tls: {} })).toThrow(/rediss/)
  expect(() => new RedisStorage(5 as never)).toThrow(invalid)
  expect(() => new RedisStorage({ url: 'redis://h', client: {} as never })).toThrow(/url: expected none/)
})

test('the defaults are those that the documentation says', () => {
  const source = readFileSync(
    new URL('../../../src/storages/redis/redis-options.ts', import.meta.url),
    'utf8',
  )
  const documented = (name: string) =>
    new RegExp(`@default (\\S+)\\n\\s+\\*/\\n\\s+readonly ${name}\\?`).exec(source)?.[1]
  expect(documented('url')).toBe(`'${options.DEFAULT_URL}'`)
  expect(Number(documented('connectTimeout')?.replace('_', ''))).toBe(options.DEFAULT_CONNECT_TIMEOUT)
  expect(documented('feedKey')).toBe(`'${options.DEFAULT_FEED_KEY}'`)
  expect(Number(documented('feedLength')?.replace('_', ''))).toBe(options.DEFAULT_FEED_LENGTH)
  expect(Number(documented('replyTimeout')?.replace('_', ''))).toBe(options.DEFAULT_REPLY_TIMEOUT)
})

test('text survives the codec, and only what UTF-8 cannot carry is changed', () => {
  for (const text of ['', 'plain', 'é€😀', '\ufeff', '\ufffd']) expect(encodeText(text)).toBe(text)
  for (const text of [
    '\ud800',
    '\udc00x',
    '\udc00\ud800',
    '😀\ud83d',
    '\ufffe',
    '\ufffed800',
    'a\ufffe\ud800',
  ]) {
    const encoded = encodeText(text)
    expect(Buffer.from(encoded).toString()).toBe(encoded)
    expect(decodeText(encoded)).toBe(text)
  }
  expect(new Set(['\ud800', '\ud801', '\ufffd', '\ufffed800'].map(encodeText)).size).toBe(4)
})

test('cluster slots are those of the specification', () => {
  expect(clusterSlot('123456789')).toBe(0x31c3 % 16_384)
  expect(clusterSlot('{user1000}.following')).toBe(clusterSlot('{user1000}.followers'))
  expect(clusterSlot('foo{}{bar}')).not.toBe(clusterSlot('bar'))
  expect(clusterSlot('foo{{bar}}zap')).toBe(clusterSlot('{bar'))
  expect(clusterSlot('foo{bar}{zap}')).toBe(clusterSlot('bar'))
  expect(clusterSlot('')).toBe(0)
})
