/**
 * The log of the feed, within the write transaction of its caller.
 *
 * Invariants: ids grow by one and are never used again, so a follower that does not find the next id has missed
 * something; the log keeps its newest `length` messages, and no more than `maxBytes` of text; what is older leaves a
 * few rows with each append. `written` is the sum of all text appended so far, so that the size needs no counting.
 * May import siblings.
 */

import type { SQLiteConnection, SQLiteStatement } from './driver.ts'
import { encodeText } from './text.ts'

const SPARE_TRIMS = 16

export class MessageTable {
  readonly #length: number
  readonly #maxBytes: number
  readonly #end: SQLiteStatement
  readonly #insert: SQLiteStatement
  readonly #trim: SQLiteStatement

  constructor(connection: SQLiteConnection, length: number, maxBytes: number) {
    this.#length = length
    this.#maxBytes = maxBytes
    this.#end = connection.prepare('SELECT id, written FROM message ORDER BY id DESC LIMIT 1')
    this.#insert = connection.prepare('INSERT INTO message (text, written) VALUES (?, ?)')
    this.#trim = connection.prepare(
      'DELETE FROM message WHERE id IN (SELECT id FROM (SELECT id, written, length(text) AS size FROM message ORDER BY id LIMIT ?) ' +
        'WHERE id <= ? OR written - size < ?)',
    )
  }

  append(messages: readonly string[]): void {
    let written = this.#readEnd().written
    for (const message of messages) {
      // Of UTF-16 as much as of UTF-8, at the least: near enough for a limit.
      written += message.length
      this.#insert.run(encodeText(message), written)
    }
    const oldest = written - this.#maxBytes
    this.#trim.run(SPARE_TRIMS + 2 * messages.length, this.#readEnd().id - this.#length, Math.max(0, oldest))
  }

  #readEnd(): { id: number; written: number } {
    const row = this.#end.get() as { id: number | bigint; written: number | bigint } | null | undefined
    return row == null ? { id: 0, written: 0 } : { id: Number(row.id), written: Number(row.written) }
  }
}
