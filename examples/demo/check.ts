/**
 * Holds every answer that a worker gets against what must be true of it:
 *
 * - it is a version that the origin has really had of this airport (or this worker's own update that still runs);
 * - after this worker's own removal of the airport, it is no older than what the removal was for;
 * - after this worker's own invalidation, nothing older counts as fresh in L1.
 *
 * What an answer must be is fixed when its call begins: what happens meanwhile does not bind it.
 */

import type { AfterUpdate } from './airport-cache.ts'
import type { Airport } from './origin.ts'
import { isGenuine } from './stamp.ts'
import type { Source } from './tally.ts'

export interface Expectation {
  readonly icao: string
  /** No older version at all. 0: any. */
  readonly least: number
  /** No older version as fresh. 0: any. */
  readonly leastFresh: number
  /** An update of this worker runs. */
  readonly mayBeOptimistic: boolean
}

export class AnswerCheck {
  readonly #secret: string
  readonly #removed: Map<string, number>
  readonly #invalidated = new Map<string, number>()
  readonly #updating = new Map<string, number>()
  #news = new Map<string, number>()

  /** @param removed what the worker had removed before it was killed: still no older version may come */
  constructor(secret: string, removed: ReadonlyMap<string, number>) {
    this.#secret = secret
    this.#removed = new Map(removed)
  }

  expect(icao: string): Expectation {
    const least = this.#removed.get(icao) ?? 0
    return {
      icao,
      least,
      leastFresh: Math.max(least, this.#invalidated.get(icao) ?? 0),
      mayBeOptimistic: (this.#updating.get(icao) ?? 0) > 0,
    }
  }

  /** What is wrong with an answer, or `undefined`. */
  judge(expected: Expectation, airport: Airport, source: Source): string | undefined {
    const { icao, least, leastFresh, mayBeOptimistic } = expected
    const { version } = airport
    if (airport.icao !== icao) return `asked for ${icao}, got ${airport.icao}`
    if (version < least) return `${icao}: version ${version} after version ${least} was removed for`
    if (version < leastFresh && source === 'L1 fresh')
      return `${icao}: version ${version} fresh after its invalidation`
    if (airport.isOptimistic)
      return mayBeOptimistic ? undefined : `${icao}: an optimistic value outlived its update`
    if (!isGenuine(this.#secret, airport)) return `${icao}: a value that the origin never had`
    return undefined
  }

  updateBegins(icao: string): void {
    this.#updating.set(icao, (this.#updating.get(icao) ?? 0) + 1)
  }

  /** @param confirmed `undefined` where the update has failed */
  updateEnds(icao: string, afterwards: AfterUpdate, confirmed: Airport | undefined): void {
    this.#updating.set(icao, (this.#updating.get(icao) ?? 0) - 1)
    if (confirmed === undefined) return
    const floors = afterwards === 'remove' ? this.#removed : this.#invalidated
    floors.set(icao, Math.max(confirmed.version, floors.get(icao) ?? 0))
    if (afterwards === 'remove') this.#news.set(icao, floors.get(icao) ?? 0)
  }

  /** What was removed since the last call. */
  takeRemoved(): ReadonlyMap<string, number> {
    const news = this.#news
    this.#news = new Map()
    return news
  }
}
