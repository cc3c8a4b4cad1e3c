/**
 * The young generation of a contestant, as that of a server is after an hour of work: as large as it gets, and each of its
 * pages touched. Where the system is slow to give memory, a round amid untouched pages costs ten times what it costs later,
 * whoever's round it is, and which ones those are is luck: V8 doubles the young generation several times in the first second,
 * and makes it small again when a process does little, as one does that waits for its turn.
 */

/**
 * V8 begins with the young generation at its full size (64 MB on Node 24, the most it allows there; 16 on Node 20 and 22, which
 * cut it down to that), and does not shrink the heap eight seconds after a full collection. Bun passes over both.
 */
export const FULL_SIZE = ['--min-semi-space-size=64', '--no-memory-reducer']

const MADE = 6_000_000
const made = new Array(1_000).fill(null)

/** Touches all of it; a full collection that is due soon comes before the rounds rather than amid them. */
export function ageHeap() {
  globalThis.gc?.()
  // Closures, since literals that live for a while are made among the old objects.
  for (let i = 0; i < MADE; i++) made[i % made.length] = () => i
}
