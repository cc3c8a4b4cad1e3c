/**
 * Keeps a file within `maxSize`, within the write transaction of its caller, by evicting entries.
 *
 * Invariants: entries with a ttl leave first, the least recently stored before the others; those without one leave
 * when nothing else is left, since losing one may cost many others their use. One call's work is bounded.
 * `#passed` is the number of a row below which no row with a ttl is left: the search need not begin at the first row
 * each time. May import siblings.
 */

import type { SQLiteConnection, SQLiteStatement } from './driver.ts'
import { readPragma } from './schema.ts'

const STEP = 32
/** Makes up for a limit that was lowered, in steps that hold up nobody for long. */
const MAX_EVICTIONS = { ownThread: 20_000, callingThread: 256 }

export class Room {
  readonly #connection: SQLiteConnection
  readonly #maxPages: number
  readonly #maxEvictions: number
  readonly #findNext: SQLiteStatement
  readonly #evict: SQLiteStatement
  readonly #evictLasting: SQLiteStatement
  readonly #pageCount: SQLiteStatement
  readonly #freePages: SQLiteStatement
  #passed = 0

  constructor(connection: SQLiteConnection, maxSize: number, isOwnThread: boolean) {
    this.#connection = connection
    this.#maxEvictions = isOwnThread ? MAX_EVICTIONS.ownThread : MAX_EVICTIONS.callingThread
    this.#maxPages = maxSize / Number(readPragma(connection, 'page_size'))
    this.#findNext = connection.prepare(
      `SELECT id FROM entry WHERE id > ? AND expires IS NOT NULL ORDER BY id LIMIT ${STEP}`,
    )
    this.#evict = connection.prepare('DELETE FROM entry WHERE id > ? AND id <= ? AND expires IS NOT NULL')
    this.#evictLasting = connection.prepare(
      `DELETE FROM entry WHERE id IN (SELECT id FROM entry ORDER BY id LIMIT ${STEP})`,
    )
    this.#pageCount = connection.prepare('SELECT page_count AS n FROM pragma_page_count')
    this.#freePages = connection.prepare('SELECT freelist_count AS n FROM pragma_freelist_count')
  }

  make(): void {
    for (
      let evicted = 0;
      evicted < this.#maxEvictions && this.#usedPages() > this.#maxPages;
      evicted += STEP
    ) {
      // The number of a row that is gone may be used again: before anything else leaves, all are looked at.
      if (!this.#evictNext() && !this.#evictFromStart()) this.#evictLasting.run()
    }
    // Pages that are free at the end of the file are given back, a few at a time.
    if (this.#count(this.#pageCount) > this.#maxPages) {
      this.#connection.exec('PRAGMA incremental_vacuum(64)')
    }
  }

  /** What was evicted is there again. */
  rolledBack(): void {
    this.#passed = 0
  }

  #evictFromStart(): boolean {
    if (this.#passed === 0) return false
    this.#passed = 0
    return this.#evictNext()
  }

  #evictNext(): boolean {
    const last = this.#findNext.all(this.#passed).at(-1) as { id: number | bigint } | undefined
    if (last === undefined) return false
    this.#evict.run(this.#passed, last.id)
    this.#passed = Number(last.id)
    return true
  }

  #usedPages(): number {
    return this.#count(this.#pageCount) - this.#count(this.#freePages)
  }

  #count(statement: SQLiteStatement): number {
    return Number((statement.get() as { n: number | bigint }).n)
  }
}
