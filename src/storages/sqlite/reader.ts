/**
 * Reads on the calling thread. In WAL mode a reader waits for no writer and no checkpoint, so each call is a
 * few microseconds of memory and page cache.
 *
 * Invariants: it never writes to the file; no read transaction outlives a call; statements are prepared once.
 * Owns its connection unless it was given one. May import siblings.
 */

import type { SQLiteConnection, SQLiteDriver, SQLiteStatement } from './driver.ts'
import { rollBack } from './schema.ts'
import { decodeText, encodeText } from './text.ts'

const PAGE = 256

export class Reader {
  readonly #connection: SQLiteConnection
  readonly #isOwner: boolean
  readonly #get: SQLiteStatement
  readonly #pageFrom: SQLiteStatement
  readonly #pageAfter: SQLiteStatement

  constructor(source: SQLiteConnection | { readonly Driver: SQLiteDriver; readonly path: string }) {
    this.#isOwner = 'Driver' in source
    this.#connection = 'Driver' in source ? new source.Driver(source.path) : source
    try {
      if (this.#isOwner) this.#connection.exec('PRAGMA busy_timeout = 0; PRAGMA query_only = 1')
      this.#get = this.#connection.prepare(
        'SELECT value FROM entry WHERE key = ? AND (expires IS NULL OR expires > ?)',
      )
      const page = (comparison: string) =>
        this.#connection.prepare(
          `SELECT key FROM entry WHERE key ${comparison} ? AND (expires IS NULL OR expires > ?) ` +
            `ORDER BY key LIMIT ${PAGE}`,
        )
      this.#pageFrom = page('>=')
      this.#pageAfter = page('>')
    } catch (error) {
      this.close()
      throw error
    }
  }

  get(key: string): string | null {
    const row = this.#get.get(encodeText(key), Date.now()) as { value: unknown } | null | undefined
    return row == null ? null : decodeText(row.value)
  }

  /** All of one moment: a commit in between is seen by none of them. */
  getMany(keys: readonly string[]): (string | null)[] {
    this.#connection.exec('BEGIN')
    try {
      return keys.map((key) => this.get(key))
    } finally {
      rollBack(this.#connection)
    }
  }

  /** Keys as stored, in order; see key-scan.ts. */
  page(start: string | Uint8Array, isAfter: boolean): unknown[] {
    const statement = isAfter ? this.#pageAfter : this.#pageFrom
    return statement.all(start, Date.now()).map((row) => (row as { key: unknown }).key)
  }

  close(): void {
    if (this.#isOwner) this.#connection.close()
  }
}
