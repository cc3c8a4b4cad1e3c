/** What L2 knows a query by, worked out once for all that one fetch does with it. */

import type { QueryKey } from '../keys/query-key.ts'
import type { Generations } from './generations.ts'
import { entryKey } from './storage-keys.ts'

/** A query, as far as L2 is concerned. */
export interface Keyed {
  readonly key: QueryKey
  readonly hash: string
}

export class StoredName implements Keyed {
  readonly key: QueryKey
  readonly hash: string
  readonly storageKey: string
  /** The key was too long for a backend: the envelope says which it was. */
  readonly isDigest: boolean
  readonly #generations: Generations
  #tokenKeys: string[] | null = null

  constructor(query: Keyed, namespace: string, generations: Generations) {
    this.key = query.key
    this.hash = query.hash
    const { storageKey, isDigest } = entryKey(namespace, query.hash)
    this.storageKey = storageKey
    this.isDigest = isDigest
    this.#generations = generations
  }

  get tokenKeys(): readonly string[] {
    this.#tokenKeys ??= this.#generations.tokenKeysOf(this.key)
    return this.#tokenKeys
  }
}
