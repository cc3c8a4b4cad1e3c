import { describe, expect, test } from 'vitest'
import type { Serializer } from '../ports/serializer.ts'
import { crc32 } from './checksum.ts'
import { decodeEnvelope, decodeExpected, type Envelope, encodeEnvelope, LONGEST_VALUE } from './envelope.ts'
import { jsonSerializer } from './json-serializer.ts'
import { tokensIn, writtenTokens } from './usual-envelope.ts'

const AT = 'sq:d:["user",1]'
const ENVELOPE: Envelope = {
  data: { name: 'Ada', tags: ['a', null, 1.5] },
  dataUpdatedAt: 1_700_000_000_000,
  expiresAt: 1_700_000_300_000,
  hard: 'AAAAAAAA',
  soft: 'BBBBBBBB',
  key: null,
}
const shouting: Serializer = {
  name: 'shouting',
  stringify: (value) => JSON.stringify(value).toUpperCase(),
  parse: (text) => JSON.parse(text.toLowerCase()),
}

/** A text with the right checksum, whoever made it. */
function signed(rest: string, storageKey = AT): string {
  const tail = `",${rest}`
  return `{"v":1,"c":"${crc32(tail, crc32(storageKey, 0)).toString(16).padStart(8, '0')}${tail}`
}
const decode = (text: string, serializer = jsonSerializer) => decodeEnvelope(text, serializer, AT)
const FIELDS = { t: '1', e: 'null', h: '"h"', s: '"s"', d: '{"a":1}' }
const made = (change: Partial<Record<keyof typeof FIELDS | 'k' | 'z' | 'v', string | null>> = {}) =>
  signed(
    `${Object.entries({ ...FIELDS, ...change })
      .filter(([, value]) => value !== null)
      .map(([name, value]) => `"${name}":${value}`)
      .join(',')}}`,
  )

describe('an envelope', () => {
  test.each<[string, Partial<Envelope>]>([
    ['with all its fields', {}],
    ['that never expires', { expiresAt: null }],
    ['with its full key', { key: '["a long one"]' }],
    ['of null', { data: null }],
    ['of 0', { data: 0 }],
    ['of false', { data: false }],
    ['of an empty string', { data: '' }],
    ['of characters that stores like to change', { data: 'é€😀\ud800\u0000\u2028"\\' }],
    ['with instants that are no whole numbers', { dataUpdatedAt: 0.5, expiresAt: 1e300 }],
    ['with tokens that need escapes', { hard: '"\\', soft: '\n' }],
  ])('%s comes back as it was', (_what, change) => {
    const envelope = { ...ENVELOPE, ...change }
    for (const serializer of [jsonSerializer, shouting]) {
      const data = serializer === shouting ? { lower: 'case' } : envelope.data
      const text = encodeEnvelope({ ...envelope, data }, serializer, AT)
      expect(decode(text, serializer)).toEqual({ envelope: { ...envelope, data } })
    }
  })

  test('is plain ASCII but for the data, and JSON', () => {
    const text = encodeEnvelope(ENVELOPE, jsonSerializer, AT)
    expect(JSON.parse(text)).toMatchObject({ v: 1, t: ENVELOPE.dataUpdatedAt, d: ENVELOPE.data })
  })

  test('of a serializer that makes no string is refused', () => {
    const broken = { stringify: () => undefined as never, parse: () => 1 }
    expect(() => encodeEnvelope(ENVELOPE, broken, AT)).toThrow('returned undefined; expected a string')
  })
})

describe('a miss with its reason', () => {
  const good = encodeEnvelope(ENVELOPE, jsonSerializer, AT)

  test('is every single character changed, left out or added', () => {
    for (let i = 0; i < good.length; i++) {
      const other = String.fromCharCode(good.charCodeAt(i) ^ 1)
      for (const middle of [other, '', `${good[i]}${good[i]}`, '?']) {
        const text = good.slice(0, i) + middle + good.slice(i + 1)
        expect(decode(text), text).toHaveProperty('reason')
      }
    }
  })

  test('is every beginning of it', () => {
    for (let i = 0; i < good.length; i++) expect(decode(good.slice(0, i))).toHaveProperty('reason')
  })

  test('is what was written under another key', () => {
    const other = 'sq:d:["USER",1]'
    expect(decodeEnvelope(good, jsonSerializer, other)).toEqual({ reason: 'corrupt (checksum)' })
  })

  test.each([
    ['', 'foreign'],
    ['null', 'foreign'],
    ['hello', 'foreign'],
    ['{"value":1}', 'foreign'],
    ['{"v":"1","c":"00000000"}', 'foreign'],
    ['{"v":[1],"c":"00000000"}', 'foreign'],
    ['{"v":1}', 'corrupt (checksum)'],
    ['{"v":2,"whatever":1}', 'of version 2'],
    ['{"v":10,', 'of version 10'],
    [good.replace('"v":1', '"v":0'), 'of version 0'],
    [signed('not JSON'), 'corrupt (no JSON)'],
    [made({ v: '2' }), 'corrupt (version)'],
    [made({ t: '-1' }), 'corrupt (dataUpdatedAt)'],
    [made({ t: '1e999' }), 'corrupt (dataUpdatedAt)'],
    [made({ t: '"1"' }), 'corrupt (dataUpdatedAt)'],
    [made({ t: null }), 'corrupt (dataUpdatedAt)'],
    [made({ e: '"soon"' }), 'corrupt (expiry)'],
    [made({ e: '-1e999' }), 'corrupt (expiry)'],
    [made({ e: null }), 'corrupt (expiry)'],
    [made({ h: '1' }), 'corrupt (generations)'],
    [made({ s: null }), 'corrupt (generations)'],
    [made({ k: '7' }), 'corrupt (key)'],
    [made({ k: 'null' }), 'corrupt (key)'],
    [made({ z: '{"toString":1}' }), 'corrupt (serializer)'],
    [made({ z: '"json"' }), 'of another serializer ("json")'],
    [made({ d: null }), 'corrupt (no data)'],
    [made({ d: '{"__proto__":{"a":1}}' }), 'polluted (__proto__)'],
    [made({ d: '[{"b":[{"\\u005f_proto_\\u005F":1}]}]' }), 'polluted (__proto__)'],
    [made({ d: `${'['.repeat(100_000)}{"__proto__":1}${']'.repeat(100_000)}` }), /corrupt \(data\)|polluted/],
    [`{"v":1,${'x'.repeat(LONGEST_VALUE)}`, /^oversized/],
  ])('%#: %.60s', (text, reason) => {
    const decoded = decode(text)
    expect(decoded).toEqual({
      reason: typeof reason === 'string' ? reason : expect.stringMatching(reason),
    })
  })

  test('is what another serializer wrote, and what its own cannot parse', () => {
    const theirs = encodeEnvelope({ ...ENVELOPE, data: 'x' }, shouting, AT)
    expect(decode(theirs)).toEqual({ reason: 'of another serializer ("shouting")' })
    expect(decode(good, shouting)).toEqual({ reason: 'of another serializer ("json")' })
    const posing = { ...shouting, name: 'json' }
    expect(decode(encodeEnvelope(ENVELOPE, posing, AT))).toEqual({ reason: 'of another serializer ("json")' })
    expect(decode(made({ z: '"shouting"', d: '"{"' }), shouting)).toEqual({ reason: 'corrupt (data)' })
    expect(decode(made({ z: '"shouting"', d: '{}' }), shouting)).toEqual({ reason: 'corrupt (data)' })
    const toNothing = { name: 'shouting', stringify: String, parse: () => undefined }
    expect(decode(made({ z: '"shouting"', d: '""' }), toNothing)).toEqual({ reason: 'corrupt (no data)' })
  })

  test('is not data that only speaks of prototypes', () => {
    const data = { text: '__proto__', constructor: { prototype: { polluted: true } }, hasOwnProperty: 1 }
    expect(decode(encodeEnvelope({ ...ENVELOPE, data }, jsonSerializer, AT))).toMatchObject({
      envelope: { data },
    })
    expect({}).not.toHaveProperty('polluted')
  })
})

describe('what is read under tokens that are known', () => {
  const hard = 'AAAAAAAAaaaaaaaa'
  const soft = 'BBBBBBBBbbbbbbbb'
  const tokens = writtenTokens(hard, soft)
  const text = encodeEnvelope({ ...ENVELOPE, hard, soft }, jsonSerializer, AT)

  test.each([ENVELOPE.expiresAt, null])('is told without them (expires at %s)', (expiresAt) => {
    const written = encodeEnvelope({ ...ENVELOPE, expiresAt, hard, soft }, jsonSerializer, AT)
    const { data, dataUpdatedAt } = ENVELOPE
    expect(decodeExpected(written, AT, tokens)).toMatchObject({ data, dataUpdatedAt, expiresAt })
  })

  test('they are told apart again', () => {
    expect(tokensIn(tokens)).toEqual({ hard, soft })
    expect(tokensIn(writtenTokens('', ''))).toEqual({ hard: '', soft: '' })
  })

  test.each([
    ['another hard one', 'AAAAAAAxaaaaaaaa', soft],
    ['another soft one', hard, 'BBBBBBBBxbbbbbbb'],
    ['one pair less', 'AAAAAAAA', 'BBBBBBBB'],
    ['one pair more', `${hard}cccccccc`, `${soft}dddddddd`],
    ['none', '', ''],
  ])('%s is left to the longer way', (_, ...others) => {
    expect(decodeExpected(text, AT, writtenTokens(...others))).toBeNull()
  })

  test('damage, another key, no tokens and what is too long are left to the longer way', () => {
    expect(decodeExpected(text.replace('Ada', 'Eve'), AT, tokens)).toBeNull()
    expect(decodeExpected(text, `${AT} `, tokens)).toBeNull()
    expect(decodeExpected(made({ t: '1700000000000', h: '""', s: '""' }), AT, tokens)).toBeNull()
    expect(decodeExpected(`${text}${' '.repeat(LONGEST_VALUE)}`, AT, tokens)).toBeNull()
    expect(decodeExpected('', AT, writtenTokens('', ''))).toBeNull()
  })
})
