/**
 * The skeleton of a read that keeps the promises, written in one piece for one shape of keys: found by the parts of its key,
 * one promise for all who ask, named and hashed for its tokens, read in one batch with the namespace's token, believed only
 * if its checksum, tokens, expiry and property names are right, and put into the order of use. It has no time-out, circuit,
 * cancellation, observers, states, statistics, options or other shapes of keys: what a row of it costs more than the least,
 * the promises cost; what the library costs more than it, the rest of the library does.
 */

import { crc32 } from 'node:zlib'
import { keepStringsFast } from './fast-strings.mjs'
import { KEYS } from './l2-read.mjs'
import { userOf } from './user.mjs'

export const SKELETON = 'skeleton: + keys, tokens, expiry, LRU, one fetch for all'

const NAMESPACE_TOKEN = 'sk:n:all'
export const TTL = 3_600_000
const HASH_START = 0x811c9dc5
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  for (let bit = 0; bit < 8; bit++) byte = byte & 1 ? 0xedb88320 ^ (byte >>> 1) : byte >>> 1
  return byte
})

function hashed(text, state) {
  let hash = state
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash
}

function slotNumber(state) {
  const hash = Math.imul(state ^ (state >>> 16), 0x85ebca6b)
  return ((hash ^ (hash >>> 13)) >>> 0) % 65_536
}

function sumOfName(name) {
  let sum = ~0
  for (let i = 0; i < name.length; i++) sum = CRC_TABLE[(sum ^ name.charCodeAt(i)) & 255] ^ (sum >>> 8)
  return ~sum >>> 0
}

function digitsAt(text, start, end) {
  let number = 0
  for (let i = start; i < end; i++) number = (number * 10 + text.charCodeAt(i) - 48) | 0
  return number
}

function dateAt(text, start) {
  return digitsAt(text, start, start + 6) * 1e7 + digitsAt(text, start + 6, start + 13)
}

export class Tokens {
  #slots = new Map()
  vouch = {}

  /** Of the root, of the key without its last part, of the whole key: as they are written, kept with the last of them. */
  of(first, last) {
    const state = hashed(`"${first}",`, HASH_START)
    const above = this.#slot(1, slotNumber(state))
    const whole = this.#slot(2, slotNumber(hashed(`${last},`, state)))
    if (whole.list === null || whole.list.above !== above || whole.list.vouch !== this.vouch) {
      const slots = [this.#slot(0, 0), above, whole]
      const [hard, soft] = ['hard', 'soft'].map((kind) => slots.map((slot) => slot[kind]).join(''))
      const written = [',"h":"', hard, '","s":"', soft, '","d":'].join('')
      whole.list = { above, vouch: this.vouch, written }
    }
    return whole.list
  }

  #slot(depth, number) {
    const place = depth * 65_536 + number
    let slot = this.#slots.get(place)
    if (slot === undefined) {
      const token = (kind) => `${kind}${String(place).padStart(7, '0')}`
      slot = { hard: token('h'), soft: token('s'), list: null }
      this.#slots.set(place, slot)
    }
    return slot
  }
}

export function nameOf(first, last) {
  return `sk:d:["${first}",${last}]`
}

export function envelopeOf(name, { written }, data) {
  const now = Date.now()
  const rest = `","t":${now},"e":${now + TTL}${written}${JSON.stringify(data)}}`
  return `{"v":1,"c":"${crc32(rest, sumOfName(name)).toString(16).padStart(8, '0')}${rest}`
}

function dataOf(text, entry, vouch, now) {
  const { written, vouch: vouchedBy } = entry.list
  const at = 57 + written.length
  if (text.slice(0, 12) !== '{"v":1,"c":"') throw new Error('foreign')
  if (vouchedBy !== vouch || text.slice(57, at) !== written) throw new Error('removed or invalidated')
  entry.updatedAt = dateAt(text, 26)
  if (dateAt(text, 44) <= now) throw new Error('expired')
  if (text.includes('__proto__') || text.includes('\\u00')) throw new Error('polluted')
  if (crc32(text.slice(20), sumOfName(entry.name)) !== Number.parseInt(text.slice(12, 20), 16))
    throw new Error('damaged')
  return JSON.parse(text.slice(at, -1))
}

/**
 * A contestant for `readCases`. `readNow(name)` gives the text of L2 at once; or `readMany(names)` promises those of a tick,
 * the last of which is the namespace's token. `write(name, text)`.
 */
export function skeletonReader({ readNow, readMany, write, close }) {
  keepStringsFast()
  const tokens = new Tokens()
  let root = new Map()
  let newest = null
  let batch = null

  const settle = (entry, text, now) => {
    entry.data = dataOf(text, entry, tokens.vouch, now)
    entry.list = null
    entry.usedAt = now
    entry.older = newest
    if (newest !== null) newest.newer = entry
    newest = entry
  }
  const send = async () => {
    const { names, entries } = batch
    batch = null
    names.push(NAMESPACE_TOKEN)
    const texts = await readMany(names)
    const now = Date.now()
    for (let i = 0; i < entries.length; i++) {
      settle(entries[i], texts[i], now)
      entries[i].resolve(entries[i].data)
    }
  }
  const fetch = ({ queryKey: [first, last], queryFn }) => {
    let below = root.get(first)
    if (below === undefined) {
      below = new Map()
      root.set(first, below)
    }
    const held = below.get(last)
    if (held !== undefined) return held.promise
    const entry = {
      part: last,
      queryFn,
      data: undefined,
      updatedAt: 0,
      usedAt: 0,
      older: null,
      newer: null,
      promise: null,
      resolve: null,
      list: tokens.of(first, last),
      name: nameOf(first, last),
    }
    below.set(last, entry)
    if (readNow !== undefined) {
      settle(entry, readNow(entry.name), Date.now())
      entry.promise = Promise.resolve(entry.data)
      return entry.promise
    }
    entry.promise = new Promise((resolve) => {
      entry.resolve = resolve
    })
    if (batch === null) {
      batch = { names: [], entries: [] }
      queueMicrotask(send)
    }
    batch.names.push(entry.name)
    batch.entries.push(entry)
    return entry.promise
  }
  const queryFn = () => {
    throw new Error('the origin was called: L2 did not answer')
  }
  return {
    get: (i) => fetch({ queryKey: ['user', i], queryFn, retry: false }),
    async fill() {
      await write(NAMESPACE_TOKEN, 'n0000000')
      for (let i = 0; i < KEYS; i++) {
        const name = nameOf('user', i)
        await write(name, envelopeOf(name, tokens.of('user', i), userOf(i)))
      }
    },
    before() {
      root = new Map()
      newest = null
    },
    close,
  }
}
