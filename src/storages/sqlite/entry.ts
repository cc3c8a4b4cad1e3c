/** One entry as the caller gives it, checked and turned into a write. May import siblings. */

import { invalid } from './options.ts'

/** A write as the file takes it. */
export interface Write {
  readonly key: string
  /** `null` deletes. */
  readonly value: string | null
  /** Epoch milliseconds, `null` = never. */
  readonly expires: number | null
}

/** @throws InvalidOptionError (`INVALID_OPTION`) for what is no string, or a ttl that `expiresAt` refuses. */
export function toWrite(key: string, value: string, ttl: number | undefined, now: number): Write {
  const expires = expiresAt(ttl, now)
  // What has expired already is a deletion.
  const isGone = expires !== null && expires <= now
  return { key: checkText('key', key), value: isGone ? null : checkText('value', value), expires }
}

export function toDeletion(key: string): Write {
  return { key: checkText('key', key), value: null, expires: null }
}

/**
 * Epoch milliseconds, rounded up; `null` = never.
 *
 * @throws InvalidOptionError (`INVALID_OPTION`) for a negative ttl, NaN, or what is no number
 */
export function expiresAt(ttl: number | undefined, now: number): number | null {
  if (ttl === undefined) return null
  if (typeof ttl !== 'number' || !(ttl >= 0)) throw invalid('ttl', ttl, 'milliseconds, 0 or more')
  const instant = now + Math.ceil(ttl)
  return instant <= Number.MAX_SAFE_INTEGER ? instant : null
}

function checkText(name: string, value: unknown): string {
  if (typeof value !== 'string') throw invalid(name, value, 'a string')
  return value
}
