/**
 * The short way of reading an envelope: nearly all are in JSON, dated, named by their storage key and written under tokens that
 * need no escapes, so that every field stands where it is expected and the data can be parsed alone. What is declined here has
 * something unusual, or something wrong; `decodeEnvelope` finds out which. Pure.
 */

import { crc32, crc32OfName } from './checksum.ts'

export interface UsualEnvelope {
  readonly data: unknown
  readonly dataUpdatedAt: number
  /** Epoch milliseconds; `null` = never. */
  readonly expiresAt: number | null
  /** As `writtenTokens` has them. */
  readonly tokens: string
}

export const HEAD = '{"v":1,"c":"'
export const SUM_END = HEAD.length + 8
const AFTER_SUM = '","t":'
const AFTER_DATE = ',"e":'
const NEVER = 'null,'
const AFTER_EXPIRY = '"h":"'
const AFTER_HARD = '","s":"'
const AFTER_SOFT = '","d":'
/** Digits of a date between 2001 and 2286. */
const DATE_DIGITS = 13
/** Read in two parts, which small integers can hold. */
const LOW_DIGITS = 7
const LOW_UNIT = 10 ** LOW_DIGITS
const BACKSLASH = 92
const DASH = 45
const LAST_LETTER = 122

/** `null`: it is not usual, or was written under other tokens than `expected`. Never throws. */
export function decodeUsual(text: string, storageKey: string, expected: string | null): UsualEnvelope | null {
  // Slices are cheaper to compare than anything else.
  const dateAt = SUM_END + AFTER_SUM.length
  const expiryAt = dateAt + DATE_DIGITS + AFTER_DATE.length
  if (text.slice(0, HEAD.length) !== HEAD || text.slice(SUM_END, dateAt) !== AFTER_SUM) return null
  if (text.slice(dateAt + DATE_DIGITS, expiryAt) !== AFTER_DATE) return null
  const isForever =
    text.charAt(expiryAt) === NEVER.charAt(0) && text.slice(expiryAt, expiryAt + NEVER.length) === NEVER
  const expiryEnd = expiryAt + (isForever ? NEVER.length : DATE_DIGITS + 1)
  if (text.charAt(expiryEnd - 1) !== ',') return null
  const tokens = expected ?? writtenTokensAt(text, expiryEnd)
  const dataAt = expiryEnd + (tokens === null ? 0 : tokens.length)
  if (tokens === null || text.slice(expiryEnd, dataAt) !== tokens) return null
  const dataUpdatedAt = dateIn(text, dateAt)
  const expiresAt = isForever ? null : dateIn(text, expiryAt)
  if (dataUpdatedAt === -1 || expiresAt === -1) return null
  if (text.charAt(text.length - 1) !== '}' || mayHideProto(text)) return null
  if (hexIn(text, HEAD.length) !== crc32(text.slice(SUM_END), crc32OfName(storageKey))) return null
  try {
    return { data: JSON.parse(text.slice(dataAt, -1)) as unknown, dataUpdatedAt, expiresAt, tokens }
  } catch {
    return null
  }
}

/** Tokens, which need no escapes, as they stand in a usual envelope: all that is between its expiry and its data. */
export function writtenTokens(hard: string, soft: string): string {
  // In one piece, to be compared with pieces.
  return [AFTER_EXPIRY, hard, AFTER_HARD, soft, AFTER_SOFT].join('')
}

/** The inverse of `writtenTokens`. */
export function tokensIn(written: string): { hard: string; soft: string } {
  const hardEnd = written.indexOf('"', AFTER_EXPIRY.length)
  return {
    hard: written.slice(AFTER_EXPIRY.length, hardEnd),
    soft: written.slice(hardEnd + AFTER_HARD.length, -AFTER_SOFT.length),
  }
}

/** Those that stand at `from`. */
function writtenTokensAt(text: string, from: number): string | null {
  const hardAt = from + AFTER_EXPIRY.length
  const hardEnd = endOfPlain(text, hardAt, text.length)
  const softAt = hardEnd + AFTER_HARD.length
  const softEnd = endOfPlain(text, softAt, text.length)
  const end = softEnd + AFTER_SOFT.length
  const isUsual =
    text.slice(from, hardAt) === AFTER_EXPIRY &&
    text.slice(hardEnd, softAt) === AFTER_HARD &&
    text.slice(softEnd, end) === AFTER_SOFT
  return isUsual ? text.slice(from, end) : null
}

/** Where the first character stands that may need an escape in JSON, or `end`. */
export function endOfPlain(text: string, from: number, end: number): number {
  for (let i = from; i < end; i++) {
    const code = text.charCodeAt(i)
    // Beyond the end of the text it is NaN, which is in no range.
    if (!(code >= DASH && code <= LAST_LETTER) || code === BACKSLASH) return i
  }
  return end
}

/** The date whose digits begin at `start`, -1 where there is none of so many. */
function dateIn(text: string, start: number): number {
  const end = start + DATE_DIGITS
  const high = digitsIn(text, start, end - LOW_DIGITS)
  const low = digitsIn(text, end - LOW_DIGITS, end)
  // JSON has no leading zeros.
  return high === -1 || low === -1 || text.charCodeAt(start) === 48 ? -1 : high * LOW_UNIT + low
}

function digitsIn(text: string, start: number, end: number): number {
  let number = 0
  for (let i = start; i < end; i++) {
    const digit = text.charCodeAt(i) - 48
    if (!(digit >= 0 && digit <= 9)) return -1
    number = (number * 10 + digit) | 0
  }
  return number
}

/** The eight hexadecimal digits that begin at `start`, as a sum is written, -1 where there are others. */
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

/** A property named `__proto__` may be written with escapes. */
export function mayHideProto(text: string): boolean {
  return text.includes('__proto__') || text.includes('\\u00')
}
