/** What `ChaosStorage` can do to an operation, and when it does. May import the garbage kinds. */

import { GARBAGE_KINDS, type Garbage } from './garbage.ts'

/**
 * The operations of a backend; `append` and `deliver` are the feed's (`deliver`: a batch on its way to one
 * follower), `acquire`, `renew` and `release` the lease's.
 */
export type StorageOperation = (typeof STORAGE_OPERATIONS)[number]

export const STORAGE_OPERATIONS = [
  'get',
  'set',
  'delete',
  'getMany',
  'setMany',
  'deleteMany',
  'add',
  'keys',
  'append',
  'follow',
  'deliver',
  'acquire',
  'renew',
  'release',
  'close',
] as const

export type Fault =
  /** Never answers, and does nothing before it is released. Holds a delivery back: a follower cut off. */
  | { readonly kind: 'hang' }
  /** Rejects without doing anything. */
  | { readonly kind: 'reject'; readonly error?: unknown }
  /** Throws before it returns a promise. */
  | { readonly kind: 'throw'; readonly error?: unknown }
  /** Answers reads, lease tokens, listed keys and delivered messages wrongly; `'any'` picks a kind each time. */
  | { readonly kind: 'garbage'; readonly garbage?: Garbage | 'any' }
  /** Answers late: by so many milliseconds, or between two numbers of them. */
  | { readonly kind: 'delay'; readonly delay: number | readonly [least: number, most: number] }
  /** `setMany` and `deleteMany` do a random part of their work, at least one entry short, then reject. */
  | { readonly kind: 'partial' }
  /** Does the work; the answer is lost on the way: it never comes, or comes as an error. */
  | { readonly kind: 'lost-answer'; readonly answer?: 'hang' | 'reject' }
  /**
   * Loses the keys concerned, for everyone: before a read, after an acknowledged write. A lost delivery is
   * told to its follower as a gap.
   */
  | { readonly kind: 'lose' }

/** One call of an operation. */
export interface StorageCall {
  readonly operation: StorageOperation
  /** The keys concerned, or the prefix of `keys`; empty for the feed and `close`. */
  readonly keys: readonly string[]
  /** How many calls this fault's operations and keys have matched before this one. */
  readonly index: number
}

export interface FaultScope {
  /** Operations concerned. @default all */
  readonly operations?: readonly StorageOperation[] | undefined
  /** Keys concerned: a call counts if any of its keys does. @default all */
  readonly keys?: ((key: string) => boolean) | undefined
  /**
   * Which of those calls: a probability from 0 to 1 (drawn from the seed), a pattern that repeats
   * (`[true, true, false]`), or a function. @default every one
   */
  readonly when?: number | readonly boolean[] | ((call: StorageCall) => boolean) | undefined
}

/** A fault that is switched on. Counts its own calls, for the pattern. */
export class FaultRule {
  readonly fault: Fault
  readonly #scope: FaultScope
  readonly #random: () => number
  #matched = 0

  constructor(fault: Fault, scope: FaultScope, random: () => number) {
    this.fault = fault
    this.#scope = scope
    this.#random = random
  }

  applies(operation: StorageOperation, keys: readonly string[]): boolean {
    const { operations, keys: concerns, when = 1 } = this.#scope
    if (operations !== undefined && !operations.includes(operation)) return false
    if (concerns !== undefined && !keys.some(concerns)) return false
    const index = this.#matched
    this.#matched += 1
    if (typeof when === 'number') return this.#random() < when
    if (typeof when === 'function') return when({ operation, keys, index })
    return when[index % when.length] ?? false
  }

  /** The kind of garbage of this call, where the fault is garbage. */
  garbage(): Garbage {
    const { garbage } = this.fault as Extract<Fault, { kind: 'garbage' }>
    if (garbage !== undefined && garbage !== 'any') return garbage
    return GARBAGE_KINDS[Math.floor(this.#random() * GARBAGE_KINDS.length)] as Garbage
  }
}
