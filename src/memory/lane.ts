/**
 * The evictable queries of one `gcTime`, from most to least recently used: an intrusive doubly-linked list.
 *
 * Since all of a lane wait equally long, its oldest is always the next to expire: expiry and LRU eviction look at
 * one end only, and a use is a few pointer writes. Owns the links (`newer`, `older`) of the queries in it.
 *
 * Within a lane this order tells who was used before whom; between lanes *turns* do. Uses that followed one another in one
 * lane are of one turn, and the queries that were last used in it share one `Stay`.
 */

import type { CacheStay, Query } from '../query/query.ts'

/** The turn of queries in use. */
const AWAY = -1

export class Stay implements CacheStay {
  readonly lane: Lane
  readonly turn: number

  constructor(lane: Lane, turn: number) {
    this.lane = lane
    this.turn = turn
  }
}

export class Lane {
  readonly gcTime: number
  /** Of its queries while they are in use. */
  readonly away: Stay
  #newest: Query | null = null
  #oldest: Query | null = null

  constructor(gcTime: number) {
    this.gcTime = gcTime
    this.away = new Stay(this, AWAY)
  }

  get oldest(): Query | null {
    return this.#oldest
  }

  /** As the most recently used. */
  add(query: Query): void {
    query.older = this.#newest
    if (this.#newest === null) this.#oldest = query
    else this.#newest.newer = query
    this.#newest = query
  }

  remove(query: Query): void {
    if (query.newer === null) this.#newest = query.older
    else query.newer.older = query.older
    if (query.older === null) this.#oldest = query.newer
    else query.older.newer = query.newer
    query.newer = null
    query.older = null
  }
}
