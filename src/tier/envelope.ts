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
import {
  decodeUsual,
  endOfPlain,
  HEAD,
  mayHideProto,
  SUM_END,
  tokensIn,
  type UsualEnvelope,
} from './usual-envelope.ts'

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

/** `storageKey`: where `text` was found. Never throws. */
export function decodeEnvelope(text: string, serializer: Serializer, storageKey: string): Decoded {
  if (text.length > LONGEST_VALUE) return { reason: `oversized (${text.length} characters)` }
  const usual = serializer === jsonSerializer ? decodeUsual(text, storageKey, null) : null
  if (usual !== null) {
    const { data, dataUpdatedAt, expiresAt } = usual
    return { envelope: { data, dataUpdatedAt, expiresAt, ...tokensIn(usual.tokens), key: null } }
  }
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
 * What is in JSON and was written under these tokens, as `writtenTokens` has them. `null`: it was not, or is unusual, or
 * wrong: `decodeEnvelope` finds out. Never throws.
 */
export function decodeExpected(text: string, storageKey: string, tokens: string): UsualEnvelope | null {
  return text.length > LONGEST_VALUE ? null : decodeUsual(text, storageKey, tokens)
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

function hasProto(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value)) return value.some(hasProto)
  if (Object.hasOwn(value, '__proto__')) return true
  return Object.values(value).some(hasProto)
}
