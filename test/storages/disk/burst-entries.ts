/** Values that show whether they are whole: each repeats one mark, in sizes from a few bytes to several chunks. */

import type { StorageEntry } from '../../../src/ports/storage.ts'

const SIZES = [1, 10, 100, 500, 1_500, 8_000, 40_000, 100_000]

export function burstEntries(name: string, round: number): StorageEntry[] {
  return SIZES.map((size, slot) => ({
    key: `${name}:${slot}:${round % 50}`,
    value: `${slot};`.repeat(size / 2 + 1) + `${name}#${round}`,
    ttl: 3_600_000,
  }))
}

/** The round that wrote it; undefined = not whole. */
export function roundOf(key: string, value: string): number | undefined {
  const [name, slot] = key.split(':')
  const size = SIZES[Number(slot)]!
  const [marks, round] = value.split(`${name}#`)
  return marks === `${slot};`.repeat(size / 2 + 1) ? Number(round) : undefined
}
