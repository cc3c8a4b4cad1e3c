/** From a ttl to the instant at which an entry expires. May import siblings. */

import { invalid } from './options.ts'

/**
 * Epoch milliseconds, rounded up; `null` = never. 0 is an instant that has passed.
 *
 * @throws InvalidOptionError (`INVALID_OPTION`) for a negative ttl, NaN, or what is no number
 */
export function expiresAt(ttl: number | undefined, now: number): number | null {
  if (ttl === undefined) return null
  if (typeof ttl !== 'number' || !(ttl >= 0)) throw invalid('ttl', ttl, 'milliseconds, 0 or more')
  const instant = now + Math.ceil(ttl)
  return instant <= Number.MAX_SAFE_INTEGER ? instant : null
}
