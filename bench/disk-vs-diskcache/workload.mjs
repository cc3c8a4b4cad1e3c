/** What all programs do. Python gets it as JSON. */
export const processes = 8
/** Of each process: it writes its own, and reads those of all. */
export const keysEach = 125
export const valueBytes = 1_000
export const ttl = 600_000
export const modes = {
  paced: { operations: 4_000, pause: 1 },
  'flat out': { operations: 10_000, pause: 0 },
}
