/**
 * Leaves the young generation as that of a server is after an hour: as large as it gets, and each of its pages touched. V8
 * doubles it several times in the first second of a process that keeps a part of what it makes, Node 24 up to four times the
 * size of Node 20's, and where the system is slow to give memory a round amid untouched pages costs ten times what it costs
 * later, whoever's round it is. Warm-up alone ends before or after that, by luck.
 */

const MADE = 6_000_000
/** Some 4 MB, for V8 lets it grow by what survives. */
const kept = new Array(50_000).fill(null)

export function ageHeap() {
  // Closures, since literals of which many survive are made among the old objects at once.
  for (let i = 0; i < MADE; i++) kept[i % kept.length] = () => i
}
