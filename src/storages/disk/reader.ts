/**
 * Reads by this process: synchronous look-ups in the memory map, on the calling thread.
 *
 * Invariants: takes no lock; a read sees every transaction that was committed before the callback of the event
 * loop that it runs in began (news of a later one cannot reach this process sooner); no snapshot outlives that
 * callback and its promise jobs, so that none keeps pages from being reused.
 * Owns its handle on the stores (read only, joined to the writing thread's). May import resilience and
 * siblings.
 */

import type { LogEnd, LoggedMessage, LogReader } from '../../resilience/polled-feed.ts'
import { TurnSnapshot } from '../../resilience/turn-snapshot.ts'
import { decodeKey } from './key.ts'
import { type CacheStores, readBytes } from './lmdb.ts'
import { readIncarnation, readMessage, readState } from './message-log.ts'
import { chunkKey, RowView } from './row.ts'

/** Rows looked at in one go by `keys`. */
const PAGE_ROWS = 256
export interface KeyPage {
  readonly keys: readonly string[]
  /** Where the next page begins; undefined = this was the last. */
  readonly next: Buffer | undefined
}

export class Reader implements LogReader {
  readonly #stores: CacheStores
  readonly #readChunk = (id: number, index: number) => readBytes(this.#stores.chunks, chunkKey(id, index))
  readonly #snapshot: TurnSnapshot
  #isClosed = false

  constructor(stores: CacheStores) {
    this.#stores = stores
    this.#snapshot = new TurnSnapshot(
      () => {},
      () => {
        if (!this.#isClosed) stores.root.resetReadTxn()
      },
    )
  }

  /** Lets the reads of this turn share a snapshot; its number. */
  hold(): number {
    return this.#snapshot.hold()
  }

  /** Right after a `hold`. */
  get(key: string): string | undefined {
    const bytes = readBytes(this.#stores.values, key)
    if (bytes === undefined) return undefined
    const row = new RowView(bytes)
    if (row.expiresAt <= this.#snapshot.heldAt) return undefined
    const text = row.read(this.#readChunk)
    if (text === undefined || (text.fullKey !== undefined && text.fullKey !== key)) return undefined
    return text.value
  }

  /** One page of the keys that start with `prefix`. */
  keysBetween(start: Buffer, end: Buffer, prefix: string): KeyPage {
    this.hold()
    const keys: string[] = []
    const now = Date.now()
    let last: Buffer | undefined
    let count = 0
    for (const { key: stored, value } of this.#stores.values.getRange({ start, end, limit: PAGE_ROWS })) {
      count++
      last = stored
      const row = new RowView(value)
      if (row.expiresAt <= now) continue
      const key = decodeKey(stored) ?? row.read(this.#readChunk)?.fullKey
      if (key?.startsWith(prefix)) keys.push(key)
    }
    const next = last !== undefined && count === PAGE_ROWS ? Buffer.concat([last, Buffer.of(0)]) : undefined
    return { keys, next }
  }

  logEnd(): LogEnd {
    this.hold()
    return { incarnation: readIncarnation(this.#stores), id: readState(this.#stores).last }
  }

  /** Up to the first one that is not there. */
  messagesAfter(id: number, limit: number): LoggedMessage[] {
    this.hold()
    const found: LoggedMessage[] = []
    for (let next = id + 1; next <= id + limit; next++) {
      const text = readMessage(this.#stores, next)
      if (text === undefined) break
      found.push({ id: next, text })
    }
    return found
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#stores.root.close()
  }
}
