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
 * taken it, another worker's invalidation of the same slot may come and go unseen beneath it; and between the moment
 * at which L2 takes it and the one at which it says so, even one on top of it. So what L2 holds is taken only under
 * the tokens that L2 answered in the same read, if these are the current ones here, too.
 *
 * Of those that L2 has answered lately some need not be asked for again: see `Vouching`.
 *
 * A token is sent once. One that may or may not have arrived is sent again under another name (`renew`).
 *
 * Long because: what is known of a token changes here and nowhere else.
 */

import type { QueryKey } from '../keys/query-key.ts'
import { type Known, type Slot, Slots, TokenList } from './slots.ts'
import type { Vouch } from './vouching.ts'

export type GenerationKind = 'hard' | 'soft'

/** The tokens under which data was got. */
export interface Capture {
  readonly hard: string
  readonly soft: string
}

/** Beyond it the oldest are forgotten, which is safe: unknown is read again. */
const MOST_KNOWN = 200_000
const NONE: readonly string[] = []
const TOKEN = /^[\w-]{8}$/

export function isToken(text: string): boolean {
  return TOKEN.test(text)
}

export class Generations {
  readonly #slots: Slots
  readonly #random: () => number
  readonly #known = new Map<string, Known>()
  /** When a token was last replaced here; of those that are forgotten, the latest of them. */
  readonly #replaced = new Map<string, number>()
  #replacedForgotten = 0
  #seq = 0

  constructor(namespace: string, random: () => number) {
    this.#slots = new Slots(namespace)
    this.#random = random
  }

  /** The slots of all prefixes of `key`, and of the key as a whole: their tokens vouch for it. */
  slotsOf(key: QueryKey): Slot[] {
    return this.#slots.of(key)
  }

  /** The L2 keys of all tokens that vouch for `key`, hard and soft by turns. */
  tokenKeysOf(key: QueryKey): string[] {
    return tokenKeysOf(this.#slots.of(key))
  }

  /**
   * The L2 keys of the tokens that an invalidation replaces, of the key that has these canonical parts; `isExact` = of the
   * key alone, nothing below.
   */
  tokenKeysToReplace(parts: readonly string[], isExact: boolean, kind: GenerationKind): string[] {
    const slots = this.#slots.toReplace(parts, isExact)
    return slots.map(({ hardKey, softKey }) => (kind === 'hard' ? hardKey : softKey))
  }

  /** The one of them that removes the key with this hash alone. */
  tokenKeyToRemove(hash: string): string {
    return this.#slots.ofWhole(hash).hardKey
  }

  /** What is known of these tokens may be out of date: they are read again before they vouch for anything. */
  forget(tokenKeys: Iterable<string>): void {
    for (const tokenKey of tokenKeys) if (this.#known.get(tokenKey)?.isPending === false) this.#drop(tokenKey)
  }

  forgetAll(): void {
    this.forget([...this.#known.keys()])
  }

  /** Marks the moment at which a read is asked for. */
  mark(): number {
    return ++this.#seq
  }

  /** Takes in what a read of a token that was asked for at `seq`, under `vouch`, has answered. */
  learn(tokenKey: string, answer: string | null, seq: number, vouch: Vouch | null = null): void {
    const known = this.#known.get(tokenKey)
    if (known !== undefined && (known.isPending || known.seq > seq)) return
    if (known !== undefined && known.token === answer) {
      known.seq = seq
      if (known.vouch !== vouch) this.#lapse(known)
      known.vouch = vouch
    } else if (answer !== null && isToken(answer))
      this.#remember(tokenKey, { token: answer, seq, isPending: false, vouch, isHeld: true })
    else this.#drop(tokenKey)
  }

  /** The tokens of these slots that `vouch` does not stand for, so that they must be read. */
  notVouchedFor(slots: readonly Slot[], vouch: Vouch): readonly string[] {
    let keys = NONE
    for (const slot of slots) {
      if (slot.hard?.vouch !== vouch) slot.hard = this.#known.get(slot.hardKey)
      if (slot.soft?.vouch !== vouch) slot.soft = this.#known.get(slot.softKey)
      if (slot.hard?.vouch !== vouch) keys = [...keys, slot.hardKey]
      if (slot.soft?.vouch !== vouch) keys = [...keys, slot.softKey]
    }
    return keys
  }

  /**
   * The tokens of `key` as L2 has them, where `vouch` stands for all of them, else `null`. The same list for as long as no token
   * lapses: it stays with the slot of the key, and who keeps it with what it vouches for keeps none of his own.
   */
  vouchedFor(key: QueryKey, vouch: Vouch): TokenList | null {
    const start = this.#slots.startOf(key)
    const whole = this.#slots.whole(key, start)
    if (whole.vouch === vouch && whole.lapsed === vouch.lapsed && areSame(whole.above, start.slots))
      return whole.vouched
    const slots = [...start.slots, whole]
    if (this.notVouchedFor(slots, vouch) !== NONE) return null
    const known = this.captureOf(slots)
    if (known === null) return null
    whole.vouch = vouch
    whole.lapsed = vouch.lapsed
    whole.vouched = new TokenList(known.hard, known.soft)
    whole.above = start.slots
    return whole.vouched
  }

  /** They are read again before anything else is decided by them. */
  doubt(tokenKeys: readonly string[]): void {
    for (const tokenKey of tokenKeys) {
      const known = this.#known.get(tokenKey)
      if (known !== undefined) this.#lapse(known)
    }
  }

  /** Nothing is known, so nothing can be captured under. */
  get isEmpty(): boolean {
    return this.#known.size === 0
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
    const seq = this.mark()
    this.#remember(tokenKey, { token, seq, isPending: true, vouch: null, isHeld: true })
    this.#replaced.delete(tokenKey)
    this.#replaced.set(tokenKey, seq)
    if (this.#replaced.size > MOST_KNOWN) {
      const [oldest, at] = this.#replaced.entries().next().value as [string, number]
      this.#replaced.delete(oldest)
      this.#replacedForgotten = at
    }
    return token
  }

  /**
   * Another token in the place of one that was sent and may or may not have reached L2. Sending the same again could
   * bring it back after another worker has replaced it, and with it all that was written under it.
   */
  renew(tokenKey: string, sent: string): string {
    const token = this.makeToken()
    const known = this.#known.get(tokenKey)
    if (known?.isPending === true && known.token === sent) {
      this.#remember(tokenKey, { token, seq: this.mark(), isPending: true, vouch: null, isHeld: true })
    }
    return token
  }

  /** L2 has taken `token`; a read that is under way may still answer with its predecessor. */
  settled(tokenKey: string, token: string): void {
    const known = this.#known.get(tokenKey)
    if (known !== undefined && known.token === token) {
      known.isPending = false
      known.seq = this.mark()
    } else if (known === undefined) {
      this.#remember(tokenKey, { token, seq: this.mark(), isPending: false, vouch: null, isHeld: true })
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

  /** `capture`, by slots: what was known of them when they were last met is not looked up again. */
  captureOf(slots: readonly Slot[]): Capture | null {
    let hard = ''
    let soft = ''
    for (const slot of slots) {
      if (slot.hard?.isHeld !== true) slot.hard = this.#known.get(slot.hardKey)
      if (slot.soft?.isHeld !== true) slot.soft = this.#known.get(slot.softKey)
      if (!isSettled(slot.hard) || !isSettled(slot.soft)) return null
      hard += slot.hard.token
      soft += slot.soft.token
    }
    return { hard, soft }
  }

  /**
   * What data that was made at `since` may be written under now; `null` where any token is unknown or pending. A token
   * that was replaced here in between is left out, so that the data is never taken for valid.
   */
  captureSince(tokenKeys: readonly string[], since: number): Capture | null {
    return this.#join(tokenKeys, true, since)
  }

  /**
   * What L2 says of these tokens: what it has answered, and of those that were not asked for what `vouch` stands for. `null`
   * where one is missing, `undefined` where one was not asked for and is not vouched for any longer.
   */
  answered(
    tokenKeys: readonly string[],
    answers: Pick<ReadonlyMap<string, string | null>, 'get'>,
    vouch: Vouch | null = null,
  ): Capture | null | undefined {
    let hard = ''
    let soft = ''
    for (let i = 0; i < tokenKeys.length; i++) {
      const tokenKey = tokenKeys[i] as string
      let token = answers.get(tokenKey)
      if (token === undefined) {
        const known = this.#known.get(tokenKey)
        if (vouch === null || known?.vouch !== vouch) return undefined
        token = known.token
      } else if (token === null || !isToken(token)) {
        return null
      }
      if (i % 2 === 0) hard += token
      else soft += token
    }
    return { hard, soft }
  }

  #join(tokenKeys: readonly string[], mustBeSettled: boolean, since = Infinity): Capture | null {
    let hard = ''
    let soft = ''
    for (let i = 0; i < tokenKeys.length; i++) {
      const tokenKey = tokenKeys[i] as string
      const known = this.#known.get(tokenKey)
      if (known === undefined || (mustBeSettled && !isSettled(known))) return null
      const isBefore =
        since === Infinity || (this.#replaced.get(tokenKey) ?? this.#replacedForgotten) <= since
      if (!isBefore) continue
      if (i % 2 === 0) hard += known.token
      else soft += known.token
    }
    return { hard, soft }
  }

  #drop(tokenKey: string): void {
    const known = this.#known.get(tokenKey)
    if (known !== undefined) this.#letGo(known)
    this.#known.delete(tokenKey)
  }

  #letGo(known: Known): void {
    this.#lapse(known)
    known.isHeld = false
  }

  /** No vouch stands for it any longer. */
  #lapse(known: Known): void {
    if (known.vouch === null) return
    known.vouch.lapsed++
    known.vouch = null
  }

  #remember(tokenKey: string, known: Known): void {
    const former = this.#known.get(tokenKey)
    if (former !== undefined) this.#letGo(former)
    this.#known.set(tokenKey, known)
    if (this.#known.size <= MOST_KNOWN) return
    // Many at a time: finding the first of a map costs as much as was deleted before it.
    let surplus = MOST_KNOWN / 4
    for (const [oldest, { isPending }] of this.#known) {
      if (surplus-- === 0) return
      if (!isPending) this.#drop(oldest)
    }
  }
}

function areSame(some: readonly Slot[], others: readonly Slot[]): boolean {
  if (some === others) return true
  return some.length === others.length && some.every((slot, i) => slot === others[i])
}

/** How the tokens that something was written under differ from others; a hard one decides. */
export type Difference = 'hard' | 'soft' | null

export function differenceFrom(capture: Capture, hard: string, soft: string): Difference {
  if (capture.hard !== hard) return 'hard'
  return capture.soft === soft ? null : 'soft'
}

export function worseOf(a: Difference, b: Difference): Difference {
  return a === 'hard' || b === 'hard' ? 'hard' : (a ?? b)
}

function isSettled(known: Known | undefined): known is Known {
  return known !== undefined && !known.isPending
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

export function tokenKeysOf(slots: readonly Slot[]): string[] {
  const keys: string[] = []
  for (const { hardKey, softKey } of slots) keys.push(hardKey, softKey)
  return keys
}
