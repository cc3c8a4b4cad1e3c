/** What both programs do. Python gets it as JSON. */
export const processes = 8
export const keys = 1_000
export const valueBytes = 1_000
export const ttl = 60_000
export const modes = {
  paced: { operations: 4_000, pause: 1 },
  'flat out': { operations: 10_000, pause: 0 },
}
