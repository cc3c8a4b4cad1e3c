/** A ttl as Redis takes it. May import errors. */

import { InvalidOptionError } from '../../errors.ts'

/**
 * Whole milliseconds, rounded up, at least `least`; none where Redis could not hold the number, which is some 285,000
 * years.
 */
export function toPx(ttl: number | undefined, least = Number.NEGATIVE_INFINITY): number | undefined {
  if (ttl === undefined) return undefined
  if (Number.isNaN(ttl)) throw new InvalidOptionError('ttl: expected milliseconds, got NaN')
  const px = Math.max(least, Math.ceil(ttl))
  return px > Number.MAX_SAFE_INTEGER ? undefined : px
}
