/**
 * Reads by this process: synchronous look-ups in the memory map, on the calling thread.
 *
 * Invariants: takes no lock; a read sees every transaction that was committed before the callback or promise
 * turn it runs in began; no snapshot outlives that turn, so that none keeps pages from being reused.
 * Owns its handle on the stores (read only, joined to the writing thread's). May import siblings.
 */

import { decodeKey, encodeKey } from './key.ts'
import { type CacheStores, readBytes } from './lmdb.ts'
import { chunkKey, RowView } from './row.ts'

/** Rows looked at in one go by `keys`. */
const PAGE_ROWS = 256

export class Reader {
  readonly #stores: CacheStores
  #isReleasing = false
  #isClosed = false

  constructor(stores: CacheStores) {
    this.#stores = stores
  }

  get(key: string): string | undefined {
    this.#releaseSoon()
    return this.#find(key, encodeKey(key), Date.now())
  }

  /** One page of the keys that start with `prefix`: in the range, after `start`. `next` = where the next begins. */
  keysBetween(start: Buffer, end: Buffer, prefix: string): { keys: string[]; next: Buffer | undefined } {
    this.#releaseSoon()
    const keys: string[] = []
    const now = Date.now()
    let last: Buffer | undefined
    let count = 0
    for (const { key: stored, value } of this.#stores.values.getRange({ start, end, limit: PAGE_ROWS })) {
      count++
      last = stored
      const row = new RowView(value)
      if (row.expiresAt <= now) continue
      const key = decodeKey(stored) ?? row.read((id, index) => this.#chunk(id, index))?.fullKey
      if (key?.startsWith(prefix)) keys.push(key)
    }
    const next = last !== undefined && count === PAGE_ROWS ? Buffer.concat([last, Buffer.of(0)]) : undefined
    return { keys, next }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#stores.root.close()
  }

  #find(key: string, stored: Buffer, now: number): string | undefined {
    const bytes = readBytes(this.#stores.values, stored)
    if (bytes === undefined) return undefined
    const row = new RowView(bytes)
    if (row.expiresAt <= now) return undefined
    const text = row.read((id, index) => this.#chunk(id, index))
    if (text === undefined || (text.fullKey !== undefined && text.fullKey !== key)) return undefined
    return text.value
  }

  #chunk(id: number, index: number): Buffer | undefined {
    return readBytes(this.#stores.chunks, chunkKey(id, index))
  }

  #releaseSoon(): void {
    if (this.#isReleasing) return
    this.#isReleasing = true
    queueMicrotask(() => {
      this.#isReleasing = false
      if (!this.#isClosed) this.#stores.root.resetReadTxn()
    })
  }
}
