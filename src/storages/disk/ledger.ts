/**
 * The rows of the cache and the trees that order them, as one.
 *
 * Invariants, true of every committed transaction: each row in `values` has one entry in `order` (its rank), one
 * in `expiry` if it expires, all its chunks in `chunks`; no other entry exists in those trees. Every method but
 * `usage` and `isWorthTouching` must run inside a write transaction. Stateless: what it knows is in the trees,
 * since other processes write them as well. May import siblings.
 */

import { type CacheStores, type LmdbStore, readBytes } from './lmdb.ts'
import { chunkKey, type PreparedRow, placeRow, RowView, withRank } from './row.ts'

/** What the file holds, in bytes. */
export interface Usage {
  /** Pages that hold something. */
  readonly used: number
  /** The whole file, free pages included. */
  readonly file: number
}

export class Ledger {
  readonly #stores: CacheStores

  constructor(stores: CacheStores) {
    this.#stores = stores
  }

  /** Whether a value would be read under the key. */
  hasLive(key: Buffer, now: number): boolean {
    const bytes = readBytes(this.#stores.values, key)
    return bytes !== undefined && new RowView(bytes).expiresAt > now
  }

  /** The greatest rank in use. */
  lastRank(): number {
    for (const key of this.#stores.order.getKeys({ reverse: true, limit: 1 })) return key.readDoubleBE(0)
    return 0
  }

  store(key: Buffer, row: PreparedRow, expiresAt: number, rank: number): void {
    this.remove(key)
    placeRow(row, rank)
    row.chunks.forEach((chunk, index) => {
      this.#stores.chunks.put(chunkKey(rank, index), chunk)
    })
    this.#stores.values.put(key, row.head)
    this.#enlist(key, rank, expiresAt)
  }

  /** Returns about how many bytes became free. */
  remove(key: Buffer): number {
    const bytes = readBytes(this.#stores.values, key)
    if (bytes === undefined) return 0
    const row = new RowView(bytes)
    const { rank, expiresAt, chunkId, chunkCount } = row
    const size = row.bytesUnder(key)
    this.#stores.values.remove(key)
    this.#delist(rank, expiresAt)
    let index = 0
    while (index < chunkCount && this.#stores.chunks.removeSync(chunkKey(chunkId, index))) index++
    return size
  }

  /** Makes the entry the newest one. Returns whether it was there. */
  touch(key: Buffer, rank: number): boolean {
    const bytes = readBytes(this.#stores.values, key)
    if (bytes === undefined) return false
    const { rank: oldRank, expiresAt } = new RowView(bytes)
    const moved = withRank(bytes, rank)
    this.#delist(oldRank, expiresAt)
    this.#stores.values.put(key, moved)
    this.#enlist(key, rank, expiresAt)
    return true
  }

  /** Whether touching the entry changes its fate much: it is not among the newest eighth. */
  isWorthTouching(key: Buffer, lastRank: number, entryCount: number): boolean {
    const bytes = readBytes(this.#stores.values, key)
    return bytes !== undefined && lastRank - new RowView(bytes).rank > entryCount / 8
  }

  /** Removes rows that have expired, `limit` at most. */
  cull(now: number, limit: number): void {
    const end = expiryKey(now, Number.MAX_SAFE_INTEGER)
    for (const { key, value } of [...this.#stores.expiry.getRange({ end, limit })]) {
      // An entry without its row can only come of damage; leaving it would stop the culling here for ever.
      if (this.remove(value) === 0) this.#stores.expiry.remove(key)
    }
  }

  /** Removes the oldest rows until `bytes` are free or `limit` rows are gone. Returns what became free. */
  evict(bytes: number, limit: number): number {
    let freed = 0
    let removed = 0
    while (freed < bytes && removed < limit) {
      const oldest = [...this.#stores.order.getRange({ limit: Math.min(limit - removed, 64) })]
      if (oldest.length === 0) break
      for (const { key, value } of oldest) {
        if (freed >= bytes) break
        removed++
        const size = this.remove(value)
        // As above.
        if (size === 0) this.#stores.order.remove(key)
        freed += size
      }
    }
    return freed
  }

  usage(): Usage {
    const { values, order, expiry, chunks, messages, leases, leaseExpiry } = this.#stores
    const stats = values.getStats()
    const trees = [
      stats,
      stats.root,
      stats.free,
      ...[order, expiry, chunks, messages, leases, leaseExpiry].map((tree: LmdbStore) => tree.getStats()),
    ]
    let pages = 0
    for (const tree of trees) pages += tree.treeBranchPageCount + tree.treeLeafPageCount + tree.overflowPages
    return { used: pages * stats.pageSize, file: (stats.lastPageNumber + 1) * stats.pageSize }
  }

  #enlist(key: Buffer, rank: number, expiresAt: number): void {
    this.#stores.order.put(rankKey(rank), key)
    if (expiresAt !== Infinity) this.#stores.expiry.put(expiryKey(expiresAt, rank), key)
  }

  #delist(rank: number, expiresAt: number): void {
    this.#stores.order.remove(rankKey(rank))
    if (expiresAt !== Infinity) this.#stores.expiry.remove(expiryKey(expiresAt, rank))
  }
}

// Positive doubles, big end first, sort as numbers do.
function rankKey(rank: number): Buffer {
  const key = Buffer.allocUnsafe(8)
  key.writeDoubleBE(rank, 0)
  return key
}

function expiryKey(expiresAt: number, rank: number): Buffer {
  const key = Buffer.allocUnsafe(16)
  key.writeDoubleBE(expiresAt, 0)
  key.writeDoubleBE(rank, 8)
  return key
}
