/**
 * Generations: how an invalidation reaches every worker's reads with nothing but `get` and `set`, and no clocks.
 *
 * Every key prefix belongs to a *slot*; every slot has two random tokens in L2, a hard one that a removal replaces
 * and a soft one that an invalidation replaces. An entry is written with the tokens of all its prefixes as they
 * were known before its fetch began (its `Capture`). Whoever reads it compares: another hard token, and it is a miss;
 * another soft one, and it is stale. A write that comes late carries the old tokens and harms nobody.
 *
 * A token that is absent equals nothing: the store may have lost it together with the knowledge of an
 * invalidation. So slots get their tokens when they are first captured under, and a lost one costs misses.
 *
 * Prefixes share slots by hash, one space for each depth and one for whole keys. Sharing is harmless (an
 * invalidation may make a few strangers in L2 a miss or stale) and bounds the tokens, in L2 and here, which then
 * need no expiry. A depth near the root is exact for all practical purposes: few prefixes, 65,536 slots.
 *
 * States of a token here: unknown → known (read, at the moment `seq`) → pending (replaced here, not yet in L2; L2's
 * word does not count) → known. A read's answer is believed only if it was asked for after what is known became
 * known: answers overtake each other. A pending token condemns what L2 holds, but vouches for nothing: until L2 has
 * taken it, another worker's invalidation of the same slot may come and go unseen beneath it.
 */

import { canonicalPart } from '../keys/hash-key.ts'
import type { QueryKey } from '../keys/query-key.ts'
import { generationKey, hash32 } from './storage-keys.ts'

export type GenerationKind = 'hard' | 'soft'

/** The tokens under which data was got. */
export interface Capture {
  readonly hard: string
  readonly soft: string
}

interface Known {
  readonly token: string
  seq: number
  isPending: boolean
}

const SLOTS = 65_536
/** Beyond it the oldest are forgotten, which is safe: unknown is read again. */
const MOST_KNOWN = 200_000
const TOKEN = /^[\w-]{8}$/

export class Generations {
  readonly #namespace: string
  readonly #random: () => number
  readonly #known = new Map<string, Known>()
  #seq = 0

  constructor(namespace: string, random: () => number) {
    this.#namespace = namespace
    this.#random = random
  }

  /** The L2 keys of all tokens that vouch for `key`, hard and soft by turns. */
  tokenKeysOf(key: QueryKey): string[] {
    const keys: string[] = []
    let prefix = '['
    for (let depth = 0; depth <= key.length; depth++) {
      const isWhole = depth === key.length
      this.#push(keys, prefix, isWhole ? null : depth)
      if (!isWhole) prefix += `${canonicalPart(key[depth] as never, depth)},`
    }
    return keys
  }

  /** The L2 keys of the tokens that an invalidation of `key` replaces; `isExact` = the key alone, nothing below. */
  tokenKeysToReplace(key: QueryKey, isExact: boolean, kind: GenerationKind): string[] {
    let prefix = '['
    for (let i = 0; i < key.length; i++) prefix += `${canonicalPart(key[i] as never, i)},`
    const pairs: string[] = []
    this.#push(pairs, prefix, null)
    if (!isExact) this.#push(pairs, prefix, key.length)
    return pairs.filter((_, i) => i % 2 === (kind === 'hard' ? 0 : 1))
  }

  /** Marks the moment at which a read is asked for. */
  mark(): number {
    return ++this.#seq
  }

  /** Takes in what a read of a token that was asked for at `seq` has answered. */
  learn(tokenKey: string, answer: string | null, seq: number): void {
    const known = this.#known.get(tokenKey)
    if (known !== undefined && (known.isPending || known.seq > seq)) return
    if (answer !== null && TOKEN.test(answer))
      this.#remember(tokenKey, { token: answer, seq, isPending: false })
    else this.#known.delete(tokenKey)
  }

  isKnown(tokenKey: string): boolean {
    return this.#known.has(tokenKey)
  }

  /** A fresh token, not yet in L2 nor known. */
  makeToken(): string {
    let token = ''
    for (let i = 0; i < 8; i++) token += ALPHABET[Math.floor(this.#random() * 64)]
    return token
  }

  /** A new token that counts here from now on, whatever L2 says until `settled`. */
  replace(tokenKey: string): string {
    const token = this.makeToken()
    this.#remember(tokenKey, { token, seq: this.mark(), isPending: true })
    return token
  }

  /** L2 has taken `token`; a read that is under way may still answer with its predecessor. */
  settled(tokenKey: string, token: string): void {
    const known = this.#known.get(tokenKey)
    if (known !== undefined && known.token === token) {
      known.isPending = false
      known.seq = this.mark()
    } else if (known === undefined) {
      this.#remember(tokenKey, { token, seq: this.mark(), isPending: false })
    }
  }

  /** What L2's entries must have been written under to be believed now; `null` where any token is unknown. */
  current(tokenKeys: readonly string[]): Capture | null {
    return this.#join(tokenKeys, false)
  }

  /** What a fetch that begins now may be written under; `null` where any token is unknown or pending. */
  capture(tokenKeys: readonly string[]): Capture | null {
    return this.#join(tokenKeys, true)
  }

  #join(tokenKeys: readonly string[], mustBeSettled: boolean): Capture | null {
    const tokens = ['', '']
    for (let i = 0; i < tokenKeys.length; i++) {
      const known = this.#known.get(tokenKeys[i] as string)
      if (known === undefined || (mustBeSettled && known.isPending)) return null
      tokens[i % 2] += known.token
    }
    return { hard: tokens[0] as string, soft: tokens[1] as string }
  }

  #push(keys: string[], prefix: string, depth: number | null): void {
    const slot = `${depth ?? 'k'}.${(hash32(prefix) % SLOTS).toString(36)}`
    keys.push(generationKey(this.#namespace, 'hard', slot), generationKey(this.#namespace, 'soft', slot))
  }

  #remember(tokenKey: string, known: Known): void {
    this.#known.set(tokenKey, known)
    if (this.#known.size <= MOST_KNOWN) return
    // Many at a time: finding the first of a map costs as much as was deleted before it.
    let surplus = MOST_KNOWN / 4
    for (const [oldest, { isPending }] of this.#known) {
      if (surplus-- === 0) return
      if (!isPending) this.#known.delete(oldest)
    }
  }
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
