/**
 * What L2 holds for one entry: one JSON string, checked as a whole and field by field on the way in, never trusted.
 *
 * Version 1: `{"v":1,"c":sum,"t":dataUpdatedAt,"e":expiresAt|null,"h":hard,"s":soft,"z":serializer,"k":key,"d":data}`.
 * `c` is the checksum, eight hexadecimal digits, of the storage key and of all that follows `c`: a store that changes
 * characters, mixes up keys or keeps a part gives a miss, not other data. `k` is there where the storage key is a
 * digest; `z` where the serializer is not JSON, and then `d` is its string. Pure, but for what was made last.
 */

import type { Serializer } from '../ports/serializer.ts'
import { crc32, crc32OfName } from './checksum.ts'
import { jsonSerializer } from './json-serializer.ts'

/** Characters; a value beyond it stays in L1. */
export const LONGEST_VALUE = 32 * 1024 * 1024

export interface Envelope {
  readonly data: unknown
  readonly dataUpdatedAt: number
  /** Epoch milliseconds; `null` = never. */
  readonly expiresAt: number | null
  /** The generations under which the data was got, see `Capture`. */
  readonly hard: string
  readonly soft: string
  /** The full key, where the storage key does not say it. */
  readonly key: string | null
}

/** `reason`: why the value is no envelope of ours. */
export type Decoded = { readonly envelope: Envelope } | { readonly reason: string }

const HEAD = '{"v":1,"c":"'
const SUM_END = HEAD.length + 8
const AFTER_SUM = '","t":'
const AFTER_DATE = ',"e":'
const NEVER = 'null,'
const AFTER_EXPIRY = '"h":"'
const AFTER_HARD = '","s":"'
const AFTER_SOFT = '","d":'
/** Digits of a date between 2001 and 2286. */
const DATE_DIGITS = 13
const BACKSLASH = 92
const DASH = 45
const LAST_LETTER = 122

/** @throws NotSerializableError, or whatever the serializer throws */
export function encodeEnvelope(envelope: Envelope, serializer: Serializer, storageKey: string): string {
  const { data, dataUpdatedAt, expiresAt, hard, soft, key } = envelope
  const isJson = serializer === jsonSerializer
  const text: unknown = serializer.stringify(data)
  if (typeof text !== 'string')
    throw new TypeError(`The serializer returned ${typeof text}; expected a string.`)
  const name = key === null ? '' : `"k":${JSON.stringify(key)},`
  const tag = isJson ? '' : `"z":${JSON.stringify(tagOf(serializer))},`
  const end = `${name}${tag}"d":${isJson ? text : JSON.stringify(text)}}`
  const stamp = stampOf(dataUpdatedAt, expiresAt)
  const keySum = crc32OfName(storageKey)
  let rest = `${stamp}"${hard}","s":"${soft}",${end}`
  // The sum puts it together; only then it is cheap to look at single characters.
  let sum = crc32(rest, keySum)
  const start = stamp.length + 1
  if (!isPlain(rest, start, hard.length) || !isPlain(rest, start + hard.length + 7, soft.length)) {
    rest = `${stamp}${JSON.stringify(hard)},"s":${JSON.stringify(soft)},${end}`
    sum = crc32(rest, keySum)
  }
  // In one piece at once: it is kept until L2 has it, and its parts would be kept with it.
  return [HEAD, hexOf(sum), rest].join('')
}

let lastStamp = { t: -1, e: -1 as number | null, text: '' }

/** Many are made in one millisecond. Joined, it is in one piece, and need not be put together with each of them. */
function stampOf(t: number, e: number | null): string {
  if (lastStamp.t !== t || lastStamp.e !== e)
    lastStamp = { t, e, text: ['","t":', String(t), ',"e":', String(e), ',"h":'].join('') }
  return lastStamp.text
}

/** Whether `length` characters of `text` need no escapes in JSON: tokens never do. */
function isPlain(text: string, from: number, length: number): boolean {
  return endOfPlain(text, from, from + length) === from + length
}

/** Where the first character stands that may need an escape, or `end`. */
function endOfPlain(text: string, from: number, end: number): number {
  for (let i = from; i < end; i++) {
    const code = text.charCodeAt(i)
    // Beyond the end of the text it is NaN, which is in no range.
    if (!(code >= DASH && code <= LAST_LETTER) || code === BACKSLASH) return i
  }
  return end
}

/** `storageKey`: where `text` was found. Never throws. */
export function decodeEnvelope(text: string, serializer: Serializer, storageKey: string): Decoded {
  if (text.length > LONGEST_VALUE) return { reason: `oversized (${text.length} characters)` }
  const envelope = serializer === jsonSerializer ? decodeUsual(text, storageKey, null) : null
  if (envelope !== null) return { envelope }
  // A cheap look first: anything foreign fails here without being parsed.
  const version = /^\{"v":(\d{1,9})[,}]/.exec(text)?.[1]
  if (version === undefined) return { reason: 'foreign' }
  if (version !== '1') return { reason: `of version ${version}` }
  if (text.slice(0, SUM_END) !== HEAD + sumOf(text.slice(SUM_END), storageKey))
    return { reason: 'corrupt (checksum)' }
  // What the sum vouches for may still be of someone else's making.
  let fields: Record<string, unknown>
  try {
    fields = JSON.parse(text) as Record<string, unknown>
  } catch {
    return { reason: 'corrupt (no JSON)' }
  }
  const { v, t, e, h, s, k, z } = fields
  if (v !== 1) return { reason: 'corrupt (version)' }
  if (typeof t !== 'number' || !(t >= 0) || !Number.isFinite(t)) return { reason: 'corrupt (dataUpdatedAt)' }
  if (e !== null && (typeof e !== 'number' || !Number.isFinite(e))) return { reason: 'corrupt (expiry)' }
  if (typeof h !== 'string' || typeof s !== 'string') return { reason: 'corrupt (generations)' }
  if (k !== undefined && typeof k !== 'string') return { reason: 'corrupt (key)' }
  if (z !== undefined && typeof z !== 'string') return { reason: 'corrupt (serializer)' }
  if (!Object.hasOwn(fields, 'd')) return { reason: 'corrupt (no data)' }
  if (z !== tagOf(serializer))
    return { reason: `of another serializer (${JSON.stringify(z ?? 'json').slice(0, 22)})` }
  let data: unknown = fields['d']
  try {
    if (serializer !== jsonSerializer) {
      if (typeof data !== 'string') return { reason: 'corrupt (data)' }
      data = serializer.parse(data)
    } else if (mayHideProto(text) && hasProto(data)) {
      return { reason: 'polluted (__proto__)' }
    }
  } catch {
    return { reason: 'corrupt (data)' }
  }
  if (data === undefined) return { reason: 'corrupt (no data)' }
  return { envelope: { data, dataUpdatedAt: t, expiresAt: e, hard: h, soft: s, key: k ?? null } }
}

/**
 * What is in JSON and was written under these tokens, hard and soft by turns. `null`: it was not, or is unusual, or wrong:
 * `decodeEnvelope` finds out. Never throws.
 */
export function decodeExpected(
  text: string,
  storageKey: string,
  tokens: readonly string[],
): Pick<Envelope, 'data' | 'dataUpdatedAt' | 'expiresAt'> | null {
  return text.length > LONGEST_VALUE ? null : decodeUsual(text, storageKey, tokens)
}

/**
 * What nearly all of ours look like, where the data can be parsed alone. `null`: it has something unusual, or something
 * wrong, or other tokens than `expected`; the longer way finds out what. Who names the tokens is not told them. Slices of
 * few characters are cheaper to compare than anything else.
 */
function decodeUsual(text: string, storageKey: string, expected: readonly string[] | null): Envelope | null {
  const dateAt = SUM_END + AFTER_SUM.length
  const expiryAt = dateAt + DATE_DIGITS + AFTER_DATE.length
  if (text.slice(0, HEAD.length) !== HEAD || text.slice(SUM_END, dateAt) !== AFTER_SUM) return null
  if (text.slice(dateAt + DATE_DIGITS, expiryAt) !== AFTER_DATE) return null
  const isForever = text.slice(expiryAt, expiryAt + NEVER.length) === NEVER
  const expiryEnd = expiryAt + (isForever ? NEVER.length : DATE_DIGITS + 1)
  const hardAt = expiryEnd + AFTER_EXPIRY.length
  if (text.charAt(expiryEnd - 1) !== ',' || text.slice(expiryEnd, hardAt) !== AFTER_EXPIRY) return null
  const hardEnd =
    expected === null ? endOfPlain(text, hardAt, text.length) : endOfTokens(text, hardAt, expected, 0)
  const softAt = hardEnd + AFTER_HARD.length
  if (text.slice(hardEnd, softAt) !== AFTER_HARD) return null
  const softEnd =
    expected === null ? endOfPlain(text, softAt, text.length) : endOfTokens(text, softAt, expected, 1)
  const dataAt = softEnd + AFTER_SOFT.length
  if (text.slice(softEnd, dataAt) !== AFTER_SOFT) return null
  const dataUpdatedAt = dateIn(text, dateAt)
  const expiresAt = isForever ? null : dateIn(text, expiryAt)
  if (dataUpdatedAt === -1 || expiresAt === -1) return null
  if (text.charAt(text.length - 1) !== '}' || mayHideProto(text)) return null
  if (hexIn(text, HEAD.length) !== crc32(text.slice(SUM_END), crc32OfName(storageKey))) return null
  try {
    const data: unknown = JSON.parse(text.slice(dataAt, -1))
    const hard = expected === null ? text.slice(hardAt, hardEnd) : ''
    const soft = expected === null ? text.slice(softAt, softEnd) : ''
    return { data, dataUpdatedAt, expiresAt, hard, soft, key: null }
  } catch {
    return null
  }
}

/** Where every second token, from that at `first` on, ends in `text`, -1 where another stands there. */
function endOfTokens(text: string, start: number, tokens: readonly string[], first: number): number {
  let at = start
  for (let i = first; i < tokens.length; i += 2) {
    const token = tokens[i] as string
    if (text.slice(at, at + token.length) !== token) return -1
    at += token.length
  }
  return at
}

/** The date whose digits begin at `start`, -1 where there is none of so many. */
function dateIn(text: string, start: number): number {
  let date = 0
  for (let i = start; i < start + DATE_DIGITS; i++) {
    const digit = text.charCodeAt(i) - 48
    if (!(digit >= 0 && digit <= 9)) return -1
    date = date * 10 + digit
  }
  // JSON has no leading zeros.
  return text.charCodeAt(start) === 48 ? -1 : date
}

/** The eight hexadecimal digits that begin at `start`, as `hexOf` makes them, -1 where there are others. */
function hexIn(text: string, start: number): number {
  let number = 0
  for (let i = start; i < start + 8; i++) {
    const code = text.charCodeAt(i)
    const digit = code >= 97 ? code - 87 : code - 48
    if (!(digit >= 0 && digit <= 15) || (code > 57 && code < 97)) return -1
    number = (number << 4) | digit
  }
  return number >>> 0
}

function sumOf(rest: string, storageKey: string): string {
  return hexOf(crc32(rest, crc32OfName(storageKey)))
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

function hexOf(sum: number): string {
  return HEX[sum >>> 24]! + HEX[(sum >>> 16) & 255] + HEX[(sum >>> 8) & 255] + HEX[sum & 255]
}

/** None for JSON, so that a serializer that calls itself so is not taken for it. */
function tagOf(serializer: Serializer): string | undefined {
  return serializer === jsonSerializer ? undefined : (serializer.name ?? 'custom')
}

/** A property named `__proto__` may be written with escapes. */
function mayHideProto(text: string): boolean {
  return text.includes('__proto__') || text.includes('\\u00')
}

function hasProto(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value)) return value.some(hasProto)
  if (Object.hasOwn(value, '__proto__')) return true
  return Object.values(value).some(hasProto)
}
