/**
 * Where a key stands in the index, from which it can be told: no query holds a list of its own key's parts. Pure.
 */

import { canonicalPart } from './hash-key.ts'
import type { KeyPart, QueryKey } from './query-key.ts'

/** A branch of the index. */
export interface KeyPlace {
  /** `null`: the root, whose `part` means nothing. */
  readonly above: KeyPlace | null
  readonly part: KeyPart
  /** What the hash of a key below it begins with, once one was asked for. */
  hashStart: string | null
}

/** Whether `key` is the one that ends with `part` below `above`. Objects are not looked into: `false` = perhaps not. */
export function isKeyAt(above: KeyPlace | null, part: KeyPart, key: QueryKey): boolean {
  if (above === null || !Array.isArray(key)) return false
  const last = key.length - 1
  // A date may be the same one and mean something else by now.
  if (key[last] !== part || typeof part === 'object') return false
  return above.above === null ? last === 0 : isPlaceOf(above, key, last)
}

/** Whether the first parts of `key`, so many, lead there. */
function isPlaceOf(end: KeyPlace, key: QueryKey, length: number): boolean {
  let at = length
  for (let place = end; place.above !== null; place = place.above)
    if (key[--at] !== place.part || typeof place.part === 'object') return false
  return at === 0
}

/** `hashKey` of the key that ends with `part` below `above`; `null` = the key without parts. */
export function hashAt(above: KeyPlace | null, part: KeyPart): string {
  return above === null ? '[]' : `${hashStartOf(above)}${canonicalPart(part, 0)}]`
}

function hashStartOf(place: KeyPlace): string {
  if (place.above === null) return '['
  place.hashStart ??= `${hashStartOf(place.above)}${canonicalPart(place.part, 0)},`
  return place.hashStart
}

/** The key that ends with `part` below `above`, as a new array; `null` = the key without parts. */
export function keyAt(above: KeyPlace | null, part: KeyPart): QueryKey {
  if (above === null) return []
  let length = 1
  for (let place = above; place.above !== null; place = place.above) length++
  const key = new Array<KeyPart>(length)
  key[--length] = part
  for (let place = above; place.above !== null; place = place.above) key[--length] = place.part
  return key
}
