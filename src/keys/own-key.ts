/** A key that nobody else can change. Pure. */

import type { KeyPart, QueryKey } from './query-key.ts'

/**
 * A copy of a valid key. The caller may reuse its array and the objects in it; what the cache finds a query by must
 * not change with them, or the query could never be found again, nor removed.
 */
export function ownKey(key: QueryKey): QueryKey {
  return key.some(isObject) ? key.map(ownPart) : key.slice()
}

/** The same of one part. */
export function ownPart(part: KeyPart): KeyPart {
  if (!isObject(part)) return part
  if (part instanceof Date) return new Date(part)
  if (Array.isArray(part)) return Object.freeze(part.map(ownPart))
  const properties = Object.entries(part).filter((property) => property[1] !== undefined)
  return Object.freeze(
    Object.fromEntries(properties.map(([name, value]) => [name, ownPart(value as KeyPart)])),
  )
}

function isObject(part: KeyPart): part is Exclude<KeyPart, string | number | boolean | null | bigint> {
  return typeof part === 'object' && part !== null
}
