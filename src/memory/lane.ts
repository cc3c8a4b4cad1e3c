/**
 * The evictable queries of one `gcTime`, from most to least recently used: an intrusive doubly-linked list.
 *
 * Since all of a lane wait equally long, its oldest is always the next to expire: expiry and LRU eviction look at
 * one end only, and a use is a few pointer writes. Owns the links (`home`, `newer`, `older`, `lastUsed`, `useOrder`) of the
 * queries in it.
 */

import type { Query } from '../query/query.ts'

export class Lane {
  readonly gcTime: number
  #newest: Query | null = null
  #oldest: Query | null = null

  constructor(gcTime: number) {
    this.gcTime = gcTime
  }

  get oldest(): Query | null {
    return this.#oldest
  }

  add(query: Query, now: number, useOrder: number): void {
    query.home = this
    query.lastUsed = now
    query.useOrder = useOrder
    query.newer = null
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
    query.useOrder = -1
  }

  touch(query: Query, now: number, useOrder: number): void {
    query.lastUsed = now
    query.useOrder = useOrder
    if (query.newer === null) return
    this.remove(query)
    this.add(query, now, useOrder)
  }
}
