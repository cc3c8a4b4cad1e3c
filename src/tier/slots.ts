/**
 * Slots: what the prefixes of keys share their tokens by, and what the tokens of a slot are called in L2.
 *
 * One space of slots for each depth and one for whole keys. Those of prefixes that were met lately are kept, and all of whole
 * keys, with those of the prefixes that each was met under last, since a token's key costs more to make than to look up.
 * Pure, but for that.
 */

import { canonicalPart } from '../keys/hash-key.ts'
import type { KeyPart, QueryKey } from '../keys/query-key.ts'
import { generationKey, HASH_START, hashedTo, hashOf } from './storage-keys.ts'
import { tokensIn, writtenTokens } from './usual-envelope.ts'
import type { Vouch } from './vouching.ts'

const SLOTS = 65_536
/** Of prefixes: the slots of whole keys bound themselves. */
const MOST_KEPT = 10_000
/** Of the bracket that every key begins with. */
const START = hashedTo('[', HASH_START)
const NONE: readonly Slot[] = []

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
  /**
   * Of whole keys, and `Generations` alone changes them: what stood for all tokens of the last key of it, when so many others
   * had lapsed; these tokens; the slots of its prefixes. They stand together, since each read looks at them, and at no more.
   */
  vouch: Vouch | null
  lapsed: number
  vouched: TokenList | null
  above: readonly Slot[]
  /** What was known of its tokens when last looked up. */
  hard: Known | undefined
  soft: Known | undefined
  readonly hardKey: string
  readonly softKey: string
}

/**
 * The tokens that vouch for a key, in one piece: so that they are compared in one go. Data in L1 holds it, so it holds no
 * slots, or there would be no bound to their number.
 */
export class TokenList {
  /** See `decodeExpected`. */
  readonly written: string

  constructor(hard: string, soft: string) {
    this.written = writtenTokens(hard, soft)
  }

  // Cut out only when they are asked for: most never are.
  get hard(): string {
    return tokensIn(this.written).hard
  }

  get soft(): string {
    return tokensIn(this.written).soft
  }
}

/** What keys share that differ in their last part alone. */
export interface Start {
  readonly parts: QueryKey
  /** Of all prefixes. */
  readonly slots: readonly Slot[]
  readonly state: number
}

export class Slots {
  readonly #namespace: string
  readonly #ofPrefixes = new Map<number, Slot>()
  readonly #ofKeys = new Map<number, Slot>()
  /** Of the last key: the next one often has the same. */
  #start: Start = { parts: [], slots: [], state: START }

  constructor(namespace: string) {
    this.#namespace = namespace
  }

  /** Those of all prefixes of `key`, and of the key as a whole. */
  of(key: QueryKey): Slot[] {
    const start = this.startOf(key)
    const { slots } = start
    // Of its size from the beginning: a write that waits keeps it.
    const all = new Array<Slot>(slots.length + 1)
    for (let i = 0; i < slots.length; i++) all[i] = slots[i] as Slot
    all[slots.length] = this.whole(key, start)
    return all
  }

  /** The same for keys that follow each other and differ in their last part alone. */
  startOf(key: QueryKey): Start {
    if (!isStartOf(key, this.#start)) this.#start = this.#makeStart(key)
    return this.#start
  }

  /** That of `key`, which begins so, as a whole. */
  whole(key: QueryKey, { state }: Start): Slot {
    const last = key.length - 1
    return this.#ofKey(last < 0 ? START : extended(state, key, last))
  }

  /** Those that an invalidation of the key with these canonical parts concerns; `isExact` = of the key alone, nothing below. */
  toReplace(parts: readonly string[], isExact: boolean): Slot[] {
    const state = parts.reduce((before, part) => hashedTo(`${part},`, before), START)
    const whole = this.#ofKey(state)
    return isExact ? [whole] : [whole, this.#ofPrefix(state, parts.length)]
  }

  #makeStart(key: QueryKey): Start {
    const slots: Slot[] = []
    let state = START
    for (let depth = 0; depth < key.length; depth++) {
      slots.push(this.#ofPrefix(state, depth))
      if (depth < key.length - 1) state = extended(state, key, depth)
    }
    return { parts: key.slice(0, -1), slots, state }
  }

  /** That of the key with this hash as a whole. */
  ofWhole(hash: string): Slot {
    return this.#ofKey(hash === '[]' ? START : hashedTo(`${hash.slice(1, -1)},`, START))
  }

  #ofPrefix(state: number, depth: number): Slot {
    const number = hashOf(state) % SLOTS
    const place = depth * SLOTS + number
    const kept = this.#ofPrefixes.get(place)
    if (kept !== undefined) return kept
    if (this.#ofPrefixes.size >= MOST_KEPT) this.#ofPrefixes.clear()
    const slot = this.#make(`${depth}`, number)
    this.#ofPrefixes.set(place, slot)
    return slot
  }

  #ofKey(state: number): Slot {
    const number = hashOf(state) % SLOTS
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
    return {
      vouch: null,
      lapsed: 0,
      vouched: null,
      above: NONE,
      hard: undefined,
      soft: undefined,
      hardKey,
      softKey,
    }
  }
}

function extended(state: number, key: QueryKey, depth: number): number {
  return hashedTo(',', hashedTo(canonicalPart(key[depth] as KeyPart, depth), state))
}

/** Objects are not compared: they may have changed. */
function isStartOf(key: QueryKey, { parts, slots }: Start): boolean {
  if (key.length !== slots.length) return false
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]
    if (part !== key[i] || (typeof part === 'object' && part !== null)) return false
  }
  return true
}
