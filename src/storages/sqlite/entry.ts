/** One entry as the caller gives it, checked and turned into a write. May import siblings. */

import { invalid } from './options.ts'

/**
 * What a write does: `put` stores or deletes; `add` stores where there is no live value; the others are those of the
 * feed and of the leases.
 */
export type WriteKind = 'put' | 'add' | 'append' | 'acquire' | 'renew' | 'release'

/** A write as the file takes it. */
export interface Write {
  readonly kind: WriteKind
  readonly key: string
  /** `null` deletes. The message of an `append`, the token of a lease. The queue lets go of it when it is settled. */
  value: string | null
  /** Epoch milliseconds, `null` = never. Of a lease its milliseconds, counted from the commit. */
  readonly expires: number | null
}

/** @throws InvalidOptionError (`INVALID_OPTION`) for what is no string, or a ttl that `expiresAt` refuses. */
export function toWrite(
  key: string,
  value: string,
  ttl: number | undefined,
  now: number,
  kind: 'put' | 'add' = 'put',
): Write {
  const expires = expiresAt(ttl, now)
  // What has expired already is a deletion.
  const isGone = expires !== null && expires <= now
  return { kind, key: checkText('key', key), value: isGone ? null : checkText('value', value), expires }
}

export function toDeletion(key: string): Write {
  return { kind: 'put', key: checkText('key', key), value: null, expires: null }
}

export function toAppend(message: string): Write {
  return { kind: 'append', key: '', value: checkText('message', message), expires: null }
}

/** @throws InvalidOptionError (`INVALID_OPTION`) for what is no string, or a ttl that `expiresAt` refuses. */
export function toLease(
  kind: 'acquire' | 'renew' | 'release',
  key: string,
  token: string,
  ttl: number | undefined,
): Write {
  return { kind, key: checkText('key', key), value: checkText('token', token), expires: expiresAt(ttl, 0) }
}

/**
 * Epoch milliseconds, rounded up; `null` = never. What is below 0 has run out as much as 0 has.
 *
 * @throws InvalidOptionError (`INVALID_OPTION`) for NaN, or what is no number
 */
export function expiresAt(ttl: number | undefined, now: number): number | null {
  if (ttl === undefined) return null
  if (typeof ttl !== 'number' || Number.isNaN(ttl)) throw invalid('ttl', ttl, 'a number of milliseconds')
  const instant = now + Math.ceil(Math.max(0, ttl))
  return instant <= Number.MAX_SAFE_INTEGER ? instant : null
}

function checkText(name: string, value: unknown): string {
  if (typeof value !== 'string') throw invalid(name, value, 'a string')
  return value
}
