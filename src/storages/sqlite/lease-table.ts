/**
 * Leases, within the write transaction of their caller.
 *
 * Invariants: a lease counts until its instant by the wall clock, which the processes of one machine share; whoever
 * asks again with the token that holds it, holds it. Rows whose holder died leave a few at a time. May import siblings.
 */

import type { SQLiteConnection, SQLiteStatement, SQLiteValue } from './driver.ts'
import { encodeText } from './text.ts'

export type LeaseKind = 'acquire' | 'renew' | 'release'

const SWEEPS = 4

export class LeaseTable {
  readonly #holder: SQLiteStatement
  readonly #put: SQLiteStatement
  readonly #release: SQLiteStatement
  readonly #sweep: SQLiteStatement

  constructor(connection: SQLiteConnection) {
    this.#holder = connection.prepare('SELECT token FROM lease WHERE key = ? AND expires > ?')
    this.#put = connection.prepare('INSERT OR REPLACE INTO lease (key, token, expires) VALUES (?, ?, ?)')
    this.#release = connection.prepare('DELETE FROM lease WHERE key = ? AND token = ?')
    this.#sweep = connection.prepare(
      'DELETE FROM lease WHERE key IN (SELECT key FROM lease WHERE expires <= ? ORDER BY expires LIMIT ?)',
    )
  }

  /** `false`: another holds it, or nobody does and `renew` was asked for. `ttl` counts from `now`, `null` = for ever. */
  perform(kind: LeaseKind, key: SQLiteValue, token: string, ttl: number | null, now: number): boolean {
    if (kind === 'release') {
      this.#release.run(key, encodeText(token))
      return true
    }
    const row = this.#holder.get(key, now) as { token: unknown } | null | undefined
    if (row == null ? kind === 'renew' : row.token !== token) return false
    this.#put.run(key, token, Math.min(now + (ttl ?? Number.MAX_SAFE_INTEGER), Number.MAX_SAFE_INTEGER))
    if (kind === 'acquire') this.#sweep.run(now, SWEEPS)
    return true
  }
}
