/**
 * Where a key stands in the index, from which it can be told: no query holds a list of its own key's parts. Pure.
 */

import type { KeyPart, QueryKey } from './query-key.ts'

/** A branch of the index. */
export interface KeyPlace {
  /** `null`: the root, whose `part` means nothing. */
  readonly above: KeyPlace | null
  readonly part: KeyPart
}

/** Whether `key` is the one that ends with `part` below `above`. Objects are not looked into: `false` = perhaps not. */
export function isKeyAt(above: KeyPlace | null, part: KeyPart, key: QueryKey): boolean {
  if (above === null || !Array.isArray(key)) return false
  let at = key.length - 1
  if (!isSame(key[at], part)) return false
  for (let place = above; place.above !== null; place = place.above)
    if (!isSame(key[--at], place.part)) return false
  return at === 0
}

/** A date may be the same one and mean something else by now. */
function isSame(a: unknown, part: KeyPart): boolean {
  return a === part && typeof part !== 'object'
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
