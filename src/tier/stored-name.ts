/** What L2 knows a query by, worked out once for all that one fetch does with it. */

import type { QueryKey } from '../keys/query-key.ts'
import { type Generations, tokenKeysOf } from './generations.ts'
import type { Slot, TokenList } from './slots.ts'
import { entryKey } from './storage-keys.ts'
import type { Vouch } from './vouching.ts'

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
  #slots: readonly Slot[] | null = null
  #tokenKeys: readonly string[] | null = null

  /** `prefix`: what the keys of all entries begin with. */
  constructor(query: Keyed, prefix: string, generations: Generations) {
    this.key = query.key
    this.hash = query.hash
    const { storageKey, isDigest } = entryKey(prefix, this.hash)
    this.storageKey = storageKey
    this.isDigest = isDigest
    this.#generations = generations
  }

  get slots(): readonly Slot[] {
    this.#slots ??= this.#generations.slotsOf(this.key)
    return this.#slots
  }

  /** Its tokens as L2 has them, where `vouch` stands for all of them. */
  vouchedFor(vouch: Vouch): TokenList | null {
    return this.#generations.vouchedFor(this.key, vouch)
  }

  get tokenKeys(): readonly string[] {
    this.#tokenKeys ??= tokenKeysOf(this.slots)
    return this.#tokenKeys
  }
}
