/**
 * What a worker's memory holds of some airports, noted at every change: the version that it would serve as fresh, as
 * far as invalidations go.
 *
 * It watches with `enabled: false`, so that it fetches nothing and refreshes nothing by itself. Owns its subscriptions.
 */

import type { AirportCache } from './airport-cache.ts'
import { moment } from './moment.ts'

export interface Sighting {
  readonly icao: string
  /** 0: nothing, or only what is marked as invalidated. */
  readonly version: number
  readonly at: number
}

export class Sightings {
  readonly #held = new Map<string, number>()
  readonly #ends: (() => void)[]
  #news: Sighting[] = []

  constructor(cache: AirportCache, codes: readonly string[]) {
    this.#ends = codes.map((icao) =>
      cache.watch(icao, ({ data, isInvalidated }) => {
        const version = data === undefined || isInvalidated ? 0 : data.version
        if (version === (this.#held.get(icao) ?? 0)) return
        this.#held.set(icao, version)
        this.#news.push({ icao, version, at: moment() })
      }),
    )
  }

  /** What was noted since the last call. */
  take(): Sighting[] {
    const news = this.#news
    this.#news = []
    return news
  }

  end(): void {
    for (const end of this.#ends.splice(0)) end()
  }
}
