/**
 * Growing pauses with full jitter on the upper half, so that many workers that lost the same server do not come
 * back in step. After M. Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015 ("equal jitter").
 * Pure but for its source of randomness.
 */

/** Milliseconds: between half of `base * 2 ** attempt` and all of it, at most `longest`. */
export function backoff(attempt: number, base: number, longest: number, random: () => number): number {
  const ceiling = Math.min(base * 2 ** attempt, longest)
  return ceiling / 2 + (ceiling / 2) * random()
}
