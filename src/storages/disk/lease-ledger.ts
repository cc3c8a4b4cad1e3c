/**
 * Leases, in trees of their own: they leave when they have run out, never because room is needed.
 *
 * Invariants, true of every committed transaction: each lease has one entry in `leaseExpiry`, and no other entry exists
 * there. A lease counts until its instant by the wall clock, which the processes of one machine share; whoever asks again
 * with the token that holds it, holds it. Those whose holder died leave a few at a time. `perform` must run inside a
 * write transaction. A change of the layout is a new `FORMAT`. May import siblings.
 *
 * A lease: its instant (0..8), its token from 8 on. An entry's key: the instant, then the lease's key.
 */

import { type CacheStores, readBytes } from './lmdb.ts'

export type LeaseKind = 'acquire' | 'renew' | 'release'

export interface LeaseRequest {
  readonly kind: LeaseKind
  /** As `encodeKey` makes it. */
  readonly key: Buffer
  readonly token: string
  /** Milliseconds from the commit on. */
  readonly ttl: number
}

const SWEEPS = 4
const ENTRY = Buffer.of(1)

export class LeaseLedger {
  readonly #stores: CacheStores

  constructor(stores: CacheStores) {
    this.#stores = stores
  }

  /** `false`: another holds it, or nobody does and `renew` was asked for. */
  perform({ kind, key, token, ttl }: LeaseRequest, now: number): boolean {
    const held = this.#find(key)
    const isHolder = held?.token === token
    if (kind === 'release') {
      if (held !== undefined && isHolder) this.#remove(key, held.expiresAt)
      return true
    }
    const isLive = held !== undefined && held.expiresAt > now
    if (isLive ? !isHolder : kind === 'renew') return false
    if (held !== undefined) this.#remove(key, held.expiresAt)
    const expiresAt = now + ttl
    const lease = Buffer.alloc(8 + Buffer.byteLength(token))
    lease.writeDoubleBE(expiresAt, 0)
    lease.write(token, 8)
    this.#stores.leases.put(key, lease)
    this.#stores.leaseExpiry.put(entryKey(expiresAt, key), ENTRY)
    if (kind === 'acquire') this.#sweep(now)
    return true
  }

  #sweep(now: number): void {
    const end = entryKey(now, Buffer.alloc(0))
    for (const entry of [...this.#stores.leaseExpiry.getKeys({ end, limit: SWEEPS })]) {
      this.#stores.leaseExpiry.remove(entry)
      this.#stores.leases.remove(entry.subarray(8))
    }
  }

  #find(key: Buffer): { expiresAt: number; token: string } | undefined {
    const bytes = readBytes(this.#stores.leases, key)
    if (bytes === undefined) return undefined
    return { expiresAt: bytes.readDoubleBE(0), token: bytes.toString('utf8', 8, bytes.length) }
  }

  #remove(key: Buffer, expiresAt: number): void {
    this.#stores.leases.remove(key)
    this.#stores.leaseExpiry.remove(entryKey(expiresAt, key))
  }
}

// Positive doubles, big end first, sort as numbers do.
function entryKey(expiresAt: number, key: Buffer): Buffer {
  const instant = Buffer.allocUnsafe(8)
  instant.writeDoubleBE(expiresAt, 0)
  return Buffer.concat([instant, key])
}
