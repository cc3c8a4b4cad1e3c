/**
 * Deletes that L2 is owed while it is away: what the origin has brought meanwhile, and nothing can vouch for.
 *
 * An outage may bring tens of thousands of them, one for each fetch, so they are kept by the hash of their key alone, and become
 * writes when their turn comes, or when somebody asks for one. Oldest first. Only names that tell their hash are kept so.
 *
 * Owns no timer. Imports the keys of L2 only.
 */

import { entryPrefix } from './storage-keys.ts'

export interface OwedDelete {
  readonly storageKey: string
  readonly hash: string
}

export class OwedDeletes {
  readonly #prefix: string
  readonly #hashes = new Set<string>()
  #bytes = 0

  constructor(namespace: string) {
    this.#prefix = entryPrefix(namespace)
  }

  get size(): number {
    return this.#hashes.size
  }

  /** What they take, about. */
  get bytes(): number {
    return this.#bytes
  }

  storageKeyOf(hash: string): string {
    return this.#prefix + hash
  }

  /** Of a plain name. Returns whether it is new. */
  add(hash: string): boolean {
    const before = this.#hashes.size
    if (this.#hashes.add(hash).size === before) return false
    this.#bytes += bytesOf(hash)
    return true
  }

  /** The one of this key, if it is there. */
  take(storageKey: string): OwedDelete | null {
    if (this.#hashes.size === 0 || !storageKey.startsWith(this.#prefix)) return null
    const hash = storageKey.slice(this.#prefix.length)
    return this.#delete(hash) ? { storageKey, hash } : null
  }

  /** The oldest, so many at the most. */
  takeOldest(most: number): OwedDelete[] {
    const taken: OwedDelete[] = []
    for (const hash of this.#hashes) {
      if (taken.length === most) break
      this.#delete(hash)
      taken.push({ storageKey: this.storageKeyOf(hash), hash })
    }
    return taken
  }

  #delete(hash: string): boolean {
    if (!this.#hashes.delete(hash)) return false
    this.#bytes -= bytesOf(hash)
    return true
  }
}

function bytesOf(hash: string): number {
  // Two bytes a character at the most, and for the record what the heap was seen to grow by.
  return 120 + 2 * hash.length
}
