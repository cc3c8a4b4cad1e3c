/**
 * The keys under which L2 holds things: `namespace:kind:name`, safe for any backend and of bounded length.
 *
 * Kinds: `d` an entry's data, `l` its lease, `h` and `s` the hard and soft generation of a slot, `n` that of the
 * namespace, `p` the guard's probe. A name is
 * printable ASCII without spaces; one that would be too long is replaced by its digest, and then the entry keeps
 * the full key and it is compared on read. Pure.
 */

/** Some stores end at 250 (memcached), file names at 255. */
const LONGEST_NAME = 180

const EACH_UNSAFE = /[^\x21-\x24\x26-\x7e]/g
const PERCENT = 0x25

export interface EntryKey {
  readonly storageKey: string
  /** Whether the name is a digest, so that the key itself must be kept with the data. */
  readonly isDigest: boolean
}

/** `prefix`: see `entryPrefix`. */
export function entryKey(prefix: string, hash: string): EntryKey {
  // Looking along it puts its parts together, which has to be done once, but not for `hash`, too.
  const storageKey = prefix + hash
  if (hash.length <= LONGEST_NAME && isSafe(storageKey, prefix.length)) return { storageKey, isDigest: false }
  const name = hash.replace(EACH_UNSAFE, escaped)
  if (name.length <= LONGEST_NAME) return { storageKey: prefix + name, isDigest: false }
  return { storageKey: `${prefix}#${digest(hash)}`, isDigest: true }
}

/** What the key of every entry begins with. */
export function entryPrefix(namespace: string): string {
  return `${namespace}:d:`
}

/** Whether the key of an entry is its prefix and `hash` as it is, so that it tells the hash. */
export function isPlainName(hash: string): boolean {
  return hash.length <= LONGEST_NAME && isSafe(hash, 0)
}

/** Printable ASCII without spaces and without what marks an escape, from there on. */
function isSafe(text: string, from: number): boolean {
  for (let i = from; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code <= 0x20 || code >= 0x7f || code === PERCENT) return false
  }
  return true
}

function escaped(char: string): string {
  return `%${char.charCodeAt(0).toString(16)};`
}

export function generationKey(namespace: string, kind: 'hard' | 'soft', slot: string): string {
  return `${namespace}:${kind === 'hard' ? 'h' : 's'}:${slot}`
}

export function leaseKey(namespace: string, hash: string): string {
  return entryKey(`${namespace}:l:`, hash).storageKey
}

/** The token that every invalidation of the namespace replaces. */
export function namespaceKey(namespace: string): string {
  return `${namespace}:n:all`
}

export function probeKey(namespace: string): string {
  return `${namespace}:p:probe`
}

/** 32 bits of a string. FNV-1a, G. Fowler, L. C. Noll, K.-P. Vo, 1991, with the finalizer of MurmurHash3. */
export function hash32(text: string, seed = 0): number {
  return hashOf(hashedTo(text, HASH_START ^ seed))
}

/** The hash of nothing; with `hashedTo` and `hashOf`, the 32 bits of a string that comes in parts. */
export const HASH_START = 0x811c9dc5

export function hashedTo(text: string, before: number): number {
  let h = before
  for (let i = 0; i < text.length; i++) {
    h ^= text.charCodeAt(i)
    h = Math.imul(h, 0x01000193)
  }
  return h
}

export function hashOf(state: number): number {
  let h = state ^ (state >>> 16)
  h = Math.imul(h, 0x85ebca6b)
  h ^= h >>> 13
  h = Math.imul(h, 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** 128 bits in hexadecimal. Not against adversaries: the full key is compared on read. */
function digest(text: string): string {
  return [0, 0x9e3779b9, 0x7f4a7c15, 0xf39cc060]
    .map((seed) => hash32(text, seed).toString(16).padStart(8, '0'))
    .join('')
}
