/**
 * The least that any cache of two tiers can do beside the driver's own work: what comes from L2 is checked before it is
 * believed, and kept. No keys to hash, no expiry, no invalidation, no other callers: what a row of it costs more than the
 * floor, every such library must cost.
 */

import { crc32 } from 'node:zlib'
import { keepStringsFast } from './fast-strings.mjs'

export const LEAST = 'least of two tiers: + crc32, Map'

/** What L2 holds. */
export function leastText(data) {
  const json = JSON.stringify(data)
  return crc32(json).toString(16).padStart(8, '0') + json
}

export function leastData(text) {
  const json = text.slice(8)
  if (crc32(json) !== Number.parseInt(text.slice(0, 8), 16)) throw new Error('damaged')
  return JSON.parse(json)
}

/** A contestant for `readCases`; `read(i)` gives the text of L2, or a promise of it. */
export function leastReader({ read, ...contestant }) {
  keepStringsFast()
  const kept = new Map()
  const keep = (i, text) => {
    const data = leastData(text)
    kept.set(`user:${i}`, { data, t: Date.now() })
    return data
  }
  return {
    ...contestant,
    async get(i) {
      const held = kept.get(`user:${i}`)
      if (held !== undefined) return held.data
      const text = read(i)
      return keep(i, typeof text === 'string' ? text : await text)
    },
    before: () => kept.clear(),
  }
}
