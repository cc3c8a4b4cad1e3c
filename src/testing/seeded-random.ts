/**
 * Randomness that a seed repeats exactly: mulberry32, a 32-bit generator by Tommy Ettinger that passes the
 * usual test batteries and is more than a test needs. Imports nothing.
 */

/** A function like `Math.random` whose whole sequence follows from `seed`. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
