/** One operation as the caller gives it, checked and turned into what the writing thread takes. May import siblings, errors and ports. */

import { InvalidOptionError } from '../../errors.ts'
import type { StorageEntry } from '../../ports/storage.ts'
import type { Operation } from './protocol.ts'

/** @throws InvalidOptionError (`INVALID_OPTION`) for what is no string, or a ttl that is no number. */
export function toStore(kind: 'set' | 'add', { key, value, ttl }: StorageEntry): Operation {
  expectString('key', key)
  expectString('value', value)
  if (ttl === undefined) return { kind, key, value, expiresAt: Infinity }
  const life = toLife(ttl)
  return { kind, key, value: life > 0 ? value : undefined, expiresAt: Date.now() + life }
}

export function toDeletion(key: string): Operation {
  return { kind: 'delete', key: expectString('key', key) }
}

export function toMessage(message: string): Operation {
  return { kind: 'append', message: expectString('message', message) }
}

/** @throws InvalidOptionError (`INVALID_OPTION`) for what is no string, or a ttl that is no number. */
export function toLease(
  kind: 'acquire' | 'renew' | 'release',
  key: string,
  token: string,
  ttl: number,
): Operation {
  return { kind, key: expectString('key', key), token: expectString('token', token), ttl: toLife(ttl) }
}

/** Rounded up; what is below 0 has run out as much as 0 has. */
function toLife(ttl: number): number {
  if (typeof ttl === 'number' && !Number.isNaN(ttl)) return Math.ceil(Math.max(0, ttl))
  throw new InvalidOptionError(`DiskCacheStorage: ttl is ${String(ttl)}, expected a number of milliseconds`)
}

function expectString(name: string, value: unknown): string {
  if (typeof value === 'string') return value
  throw new InvalidOptionError(`DiskCacheStorage: ${name} is ${String(value)}, expected a string`)
}
