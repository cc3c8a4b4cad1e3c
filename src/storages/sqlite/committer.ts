/**
 * Writes batches on one connection: each batch is one transaction, which also culls a few rows.
 *
 * Invariants: a batch is written as a whole or not at all. The culling of one batch is bounded, so that no
 * batch waits for a sweep of the file. Statements are prepared once. Owns no timer and not the connection.
 * May import siblings.
 */

import type { SQLiteConnection, SQLiteStatement } from './driver.ts'
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

const SPARE_CULLS = 16
const MAX_SWEEP = 1_000
const EVICT_STEP = 32
const MAX_EVICT_STEPS = 64

export class Committer {
  readonly #connection: SQLiteConnection
  readonly #maxPages: number
  readonly #put: SQLiteStatement
  readonly #delete: SQLiteStatement
  readonly #sweep: SQLiteStatement
  readonly #evict: SQLiteStatement
  readonly #pageCount: SQLiteStatement
  readonly #freePages: SQLiteStatement

  constructor(connection: SQLiteConnection, maxSize: number) {
    this.#connection = connection
    this.#maxPages = maxSize / Number(readPragma(connection, 'page_size'))
    this.#put = connection.prepare('INSERT OR REPLACE INTO entry (key, expires, value) VALUES (?, ?, ?)')
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
      for (let i = from; i < to; i++) {
        const key = encodeText(batch.keys[i]!)
        const value = batch.values[i]!
        if (value === null) this.#delete.run(key)
        else this.#put.run(key, batch.expires[i]!, encodeText(value))
      }
      this.#sweep.run(Date.now(), Math.min(MAX_SWEEP, SPARE_CULLS + 2 * (to - from)))
      if (this.#maxPages !== Number.POSITIVE_INFINITY) this.#makeRoom()
      this.#connection.exec('COMMIT')
    } catch (error) {
      rollBack(this.#connection)
      throw error
    }
  }

  #makeRoom(): void {
    for (let step = 0; step < MAX_EVICT_STEPS && this.#usedPages() > this.#maxPages; step++) {
      this.#evict.run(EVICT_STEP)
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
