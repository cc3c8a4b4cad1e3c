/**
 * One look into L2 for one key, while it is under way: who is to be told, and what was asked. There may be thousands at a
 * time, so each is one object for all who deal with it: the batch, the deadlines and the reader.
 */

import type { Answers, Asker, Request } from './batch-reader.ts'
import type { Group, Waiter } from './deadlines.ts'
import type { Capture } from './generations.ts'
import type { TokenList } from './slots.ts'
import type { Keyed, StoredName } from './stored-name.ts'
import type { Vouch } from './vouching.ts'

const NONE: readonly string[] = []

/** What L2 has for a key, once it has passed every check. */
export interface StoredData {
  readonly data: unknown
  readonly dataUpdatedAt: number
  /** Invalidated softly: may be served, is not fresh. */
  readonly isInvalidated: boolean
  /** Under which it was got. */
  readonly generations: Capture
}

/** Who is told what was found: once, later. `now`: the moment by the clock on the wall, where it is known. */
export interface Seeker {
  found(stored: StoredData | null, now?: number): void
}

export interface LookHost {
  name(query: Keyed): StoredName
  askFor(look: Look, request: Request): void
  judge(look: Look, own: string | null, answers: Answers, at: number, now: number): void
  end(look: Look, found: StoredData | null): void
}

export class Look implements Asker, Waiter {
  /** The same fetch has looked before. */
  readonly isAgain: boolean
  /** How many values had been rejected when it began. */
  readonly rejectedBefore: number
  readonly seeker: Seeker
  group: Group | null = null
  next: Waiter | null = null
  previous: Waiter | null = null
  /** The tokens that L2 was asked for, at `seq` and under `vouch`. */
  asked: readonly string[] = NONE
  seq = 0
  vouch: Vouch | null = null
  /** It was asked for none, since `vouch` stood for these, when so many others had lapsed. */
  vouched: TokenList | null = null
  lapsed = 0
  /** It asks for every token, whatever stands for it. */
  asksAll = false
  readonly #host: LookHost
  readonly #query: Keyed
  #name: StoredName | null = null

  constructor(host: LookHost, query: Keyed, isAgain: boolean, rejectedBefore: number, seeker: Seeker) {
    this.#host = host
    this.#query = query
    this.isAgain = isAgain
    this.rejectedBefore = rejectedBefore
    this.seeker = seeker
  }

  /** Worked out when it is asked for, which is when the batch is sent. */
  get name(): StoredName {
    this.#name ??= this.#host.name(this.#query)
    return this.#name
  }

  askFor(request: Request): void {
    this.#host.askFor(this, request)
  }

  answered(own: string | null | undefined, answers: Answers, at: number, now: number): void {
    this.#host.judge(this, own ?? null, answers, at, now)
  }

  giveUp(): void {
    // What follows may ask L2 again: not amid the alarms, of which one may be about to open the circuit.
    queueMicrotask(() => this.#host.end(this, null))
  }
}
