/**
 * Writes batches on one connection: each batch is one transaction, which also culls a few rows.
 *
 * Invariants: a batch is written as a whole or not at all. The culling of one batch is bounded, so that no
 * batch waits for a sweep of the file. Statements are prepared once. Owns no timer and not the connection.
 * May import siblings.
 */

import type { SQLiteConnection, SQLiteStatement, SQLiteValue } from './driver.ts'
import { readPragma, rollBack } from './schema.ts'
import { encodeText } from './text.ts'

/** Parallel arrays, which cross to another thread faster than objects do. */
export interface WriteBatch {
  readonly keys: readonly string[]
  /** `null` deletes. */
  readonly values: readonly (string | null)[]
  /** Epoch milliseconds, `null` = none. */
  readonly expires: readonly (number | null)[]
}

/** Rows of one INSERT: a statement's own overhead is about half of a small write. */
const ROWS = 16
const SPARE_SWEEPS = 16
const MAX_SWEEPS = 1_000
const EVICT_STEP = 32
/** Makes up for a limit that was lowered, in steps that hold up nobody for long. */
const MAX_EVICTIONS = { ownThread: 20_000, callingThread: 256 }

export class Committer {
  readonly #connection: SQLiteConnection
  readonly #maxSize: number
  readonly #maxPages: number
  readonly #maxEvictions: number
  readonly #put: SQLiteStatement
  readonly #putRows: SQLiteStatement
  readonly #delete: SQLiteStatement
  readonly #sweep: SQLiteStatement
  readonly #evict: SQLiteStatement
  readonly #pageCount: SQLiteStatement
  readonly #freePages: SQLiteStatement

  constructor(connection: SQLiteConnection, maxSize: number, isOwnThread: boolean) {
    this.#connection = connection
    this.#maxSize = maxSize
    this.#maxEvictions = isOwnThread ? MAX_EVICTIONS.ownThread : MAX_EVICTIONS.callingThread
    this.#maxPages = maxSize / Number(readPragma(connection, 'page_size'))
    const put = 'INSERT OR REPLACE INTO entry (key, expires, value) VALUES '
    this.#put = connection.prepare(`${put} (?, ?, ?)`)
    this.#putRows = connection.prepare(put + Array(ROWS).fill('(?, ?, ?)').join(', '))
    this.#delete = connection.prepare('DELETE FROM entry WHERE key = ?')
    this.#sweep = connection.prepare(
      'DELETE FROM entry WHERE id IN (SELECT id FROM entry WHERE expires <= ? ORDER BY expires LIMIT ?)',
    )
    this.#evict = connection.prepare(
      'DELETE FROM entry WHERE id IN (SELECT id FROM entry ORDER BY id LIMIT ?)',
    )
    this.#pageCount = connection.prepare('SELECT page_count AS n FROM pragma_page_count')
    this.#freePages = connection.prepare('SELECT freelist_count AS n FROM pragma_freelist_count')
  }

  commit(batch: WriteBatch, from: number, to: number): void {
    this.#connection.exec('BEGIN IMMEDIATE')
    try {
      this.#write(batch, from, to)
      this.#sweep.run(Date.now(), Math.min(MAX_SWEEPS, SPARE_SWEEPS + 2 * (to - from)))
      if (this.#maxPages !== Number.POSITIVE_INFINITY) this.#makeRoom()
      this.#connection.exec('COMMIT')
    } catch (error) {
      rollBack(this.#connection)
      throw error
    }
  }

  #write(batch: WriteBatch, from: number, to: number): void {
    let rows: SQLiteValue[] = []
    const putRest = () => {
      for (let i = 0; i < rows.length; i += 3) this.#put.run(rows[i]!, rows[i + 1]!, rows[i + 2]!)
      rows = []
    }
    for (let i = from; i < to; i++) {
      const key = encodeText(batch.keys[i]!)
      const value = batch.values[i]!
      if (value === null || this.#isTooLarge(value)) {
        putRest()
        this.#delete.run(key)
        continue
      }
      rows.push(key, batch.expires[i]!, encodeText(value))
      if (rows.length < 3 * ROWS) continue
      this.#putRows.run(...rows)
      rows = []
    }
    putRest()
  }

  /** To keep such a value, every other entry would have to leave, and then the value itself. */
  #isTooLarge(value: string): boolean {
    return 3 * value.length > this.#maxSize && Buffer.byteLength(value) > this.#maxSize
  }

  #makeRoom(): void {
    let evicted = 0
    while (evicted < this.#maxEvictions && this.#usedPages() > this.#maxPages) {
      this.#evict.run(EVICT_STEP)
      evicted += EVICT_STEP
    }
    // Pages that are free at the end of the file are given back, a few at a time.
    if (this.#count(this.#pageCount) > this.#maxPages) {
      this.#connection.exec('PRAGMA incremental_vacuum(64)')
    }
  }

  #usedPages(): number {
    return this.#count(this.#pageCount) - this.#count(this.#freePages)
  }

  #count(statement: SQLiteStatement): number {
    return Number((statement.get() as { n: number | bigint }).n)
  }
}
