/**
 * Which tokens need not be read again: those that the token of the namespace vouches for.
 *
 * An invalidation replaces the tokens of its slots, then that of the namespace, and is over only when L2 has taken both. So
 * a slot's token that was asked for when the namespace's was known already is current for as long as the namespace's is
 * read to be the same: had an invalidation ended since, it would be another. It is replaced by a value that it never had, so
 * it cannot come back. A read thus asks for its entry, for this one token, and for what it does not vouch for.
 *
 * A worker that died between the two leaves tokens replaced that seem vouched for; hence a vouch ends after `LIFE`.
 * Pure.
 */

/** Milliseconds. */
const LIFE = 60_000

/** What was read while the namespace's token was known to be this one. Compared by identity. */
export class Vouch {
  readonly token: string
  readonly until: number
  /** Counts the tokens that it no longer stands for. */
  lapsed = 0

  constructor(token: string, until: number) {
    this.token = token
    this.until = until
  }
}

export class Vouching {
  #vouch: Vouch | null = null

  /** Under which tokens that are asked for now will have been read. */
  get current(): Vouch | null {
    return this.#vouch
  }

  /**
   * The namespace's token was read, `null` where there is none; returns what stands for reads that asked for it. `now` never
   * steps back.
   */
  learn(token: string | null, now: number): Vouch | null {
    if (token === null) this.#vouch = null
    else if (this.#vouch?.token !== token || now >= this.#vouch.until)
      this.#vouch = new Vouch(token, now + LIFE)
    return this.#vouch
  }

  /** It is being replaced, or was heard to be. */
  forget(): void {
    this.#vouch = null
  }
}
