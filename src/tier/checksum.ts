/**
 * CRC-32 of a string's UTF-8 bytes (ITU-T V.42, polynomial 0xEDB88320): finds damage, not forgery. Native where the
 * platform has it, the same number where it has not. Pure.
 */

type Crc32 = (text: string, seed: number) => number

interface Platform {
  getBuiltinModule?(name: string): { crc32?: Crc32 } | undefined
}

const platform = (globalThis as { process?: Platform }).process

export const crc32: Crc32 = platform?.getBuiltinModule?.('node:zlib')?.crc32 ?? portableCrc32

const encoder = new TextEncoder()
let table: Uint32Array | undefined

/** Characters; up to about here calling what is native takes longer than counting. */
const SHORT = 64

/** `crc32(text, 0)` of printable ASCII. */
export function crc32OfName(text: string): number {
  if (text.length > SHORT) return crc32(text, 0)
  table ??= makeTable()
  let sum = ~0
  for (let i = 0; i < text.length; i++)
    sum = (table[(sum ^ text.charCodeAt(i)) & 0xff] as number) ^ (sum >>> 8)
  return ~sum >>> 0
}

/** `seed`: the sum of what goes before `text`, 0 for nothing. */
export function portableCrc32(text: string, seed: number): number {
  table ??= makeTable()
  let sum = ~seed
  for (const byte of encoder.encode(text)) sum = (table[(sum ^ byte) & 0xff] as number) ^ (sum >>> 8)
  return ~sum >>> 0
}

function makeTable(): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let sum = byte
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? 0xedb88320 ^ (sum >>> 1) : sum >>> 1
    return sum
  })
}
