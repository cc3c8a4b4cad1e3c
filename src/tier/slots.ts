/**
 * Slots: what the prefixes of keys share their tokens by, and what the tokens of a slot are called in L2.
 *
 * One space of slots for each depth and one for whole keys. Those of prefixes that were met lately are kept, and all of whole
 * keys, since a token's key costs more to make than to look up. Pure, but for that.
 */

import { canonicalParts } from '../keys/hash-key.ts'
import type { QueryKey } from '../keys/query-key.ts'
import { generationKey, hash32 } from './storage-keys.ts'
import type { Vouch } from './vouching.ts'

const SLOTS = 65_536
/** Of prefixes: the slots of whole keys bound themselves. */
const MOST_KEPT = 10_000

/** What is known of a token; see `Generations`, which alone changes it. */
export interface Known {
  readonly token: string
  seq: number
  isPending: boolean
  /** It was read under this; `null` once it is known no longer. */
  vouch: Vouch | null
  /** It is what is known now. */
  isHeld: boolean
}

export interface Slot {
  readonly hardKey: string
  readonly softKey: string
  /** What was known of its tokens when last looked up. */
  hard: Known | undefined
  soft: Known | undefined
}

export class Slots {
  readonly #namespace: string
  readonly #ofPrefixes = new Map<string, Slot>()
  readonly #ofKeys = new Map<number, Slot>()
  /** Of the empty prefix, which every key begins with. */
  readonly #root: Slot

  constructor(namespace: string) {
    this.#namespace = namespace
    this.#root = this.#ofPrefix('[', 0)
  }

  /** Those of all prefixes of `key`, and of the key as a whole. */
  of(key: QueryKey): Slot[] {
    const parts = canonicalParts(key)
    const slots: Slot[] = []
    let prefix = '['
    for (let depth = 0; depth < parts.length; depth++) {
      slots.push(depth === 0 ? this.#root : this.#ofPrefix(prefix, depth))
      prefix += `${parts[depth]},`
    }
    slots.push(this.#ofKey(prefix))
    return slots
  }

  /** Those that an invalidation of the key with these canonical parts concerns; `isExact` = of the key alone, nothing below. */
  toReplace(parts: readonly string[], isExact: boolean): Slot[] {
    const prefix = ['[', ...parts.map((part) => `${part},`)].join('')
    const whole = this.#ofKey(prefix)
    return isExact ? [whole] : [whole, this.#ofPrefix(prefix, parts.length)]
  }

  #ofPrefix(prefix: string, depth: number): Slot {
    const kept = this.#ofPrefixes.get(prefix)
    if (kept !== undefined) return kept
    if (this.#ofPrefixes.size >= MOST_KEPT) this.#ofPrefixes.clear()
    const slot = this.#make(`${depth}`, hash32(prefix) % SLOTS)
    this.#ofPrefixes.set(prefix, slot)
    return slot
  }

  #ofKey(prefix: string): Slot {
    const number = hash32(prefix) % SLOTS
    const kept = this.#ofKeys.get(number)
    if (kept !== undefined) return kept
    const slot = this.#make('k', number)
    this.#ofKeys.set(number, slot)
    return slot
  }

  #make(space: string, number: number): Slot {
    const slot = `${space}.${number.toString(36)}`
    const hardKey = generationKey(this.#namespace, 'hard', slot)
    const softKey = generationKey(this.#namespace, 'soft', slot)
    return { hardKey, softKey, hard: undefined, soft: undefined }
  }
}
