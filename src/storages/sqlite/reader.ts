/**
 * Reads on the calling thread. In WAL mode a reader waits for no writer and no checkpoint, so each call is a
 * few microseconds of memory and page cache; half of them are the locks of a read transaction, which the reads of one turn
 * of the event loop therefore share.
 *
 * Invariants: it never writes to the file; no read transaction outlives a turn, nor, on a connection that is not its own,
 * a call; statements are prepared once.
 * Owns its connection unless it was given one. May import resilience and siblings.
 */

import type { LogEnd, LogReader } from '../../resilience/polled-feed.ts'
import { TurnSnapshot } from '../../resilience/turn-snapshot.ts'
import { openReadOnly, type SQLiteConnection, type SQLiteDriver, type SQLiteStatement } from './driver.ts'
import { isTrusted } from './flush-mark.ts'
import { identify, readPragma, rollBack } from './schema.ts'
import { identityOf } from './set-aside.ts'
import { decodeText, encodeText } from './text.ts'

const PAGE = 256

export class Reader implements LogReader {
  /** The file that it reads, as `identityOf` tells it; `undefined` on a connection that is not its own. */
  readonly identity: string | undefined
  readonly #connection: SQLiteConnection
  readonly #isOwner: boolean
  readonly #snapshot: TurnSnapshot
  readonly #get: SQLiteStatement
  readonly #pageFrom: SQLiteStatement
  readonly #pageAfter: SQLiteStatement
  readonly #lastId: SQLiteStatement
  readonly #messages: SQLiteStatement
  readonly #incarnation: string

  /** @throws whatever the driver throws where there is no file of ours, ready for use, at the path. */
  constructor(source: SQLiteConnection | { readonly Driver: SQLiteDriver; readonly path: string }) {
    this.#isOwner = 'Driver' in source
    const identity = 'Driver' in source ? identityOf(source.path) : undefined
    // Opened for reading only, it leaves the checkpoint at closing, and its fsync, to the writing side.
    const connection = 'Driver' in source ? openReadOnly(source.Driver, source.path) : source
    this.#connection = connection
    this.#snapshot = new TurnSnapshot(
      () => connection.exec('BEGIN'),
      () => rollBack(connection),
    )
    try {
      if ('Driver' in source) this.#assertReady(source.path, identity)
      this.identity = identity
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
      // Of the sequence, as the log itself may have been trimmed to nothing.
      this.#lastId = this.#connection.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'message'")
      this.#messages = this.#connection.prepare(
        'SELECT id, text FROM message WHERE id > ? ORDER BY id LIMIT ?',
      )
      const incarnation = this.#connection.prepare("SELECT value FROM meta WHERE name = 'incarnation'").get()
      this.#incarnation = (incarnation as { value: string }).value
    } catch (error) {
      this.close()
      throw error
    }
  }

  get(key: string, now: number): string | null {
    const row = this.#get.get(encodeText(key), now) as { value: unknown } | null | undefined
    return row == null ? null : decodeText(row.value)
  }

  /** Lets the reads of this turn share a snapshot; its number, or `undefined` where the connection is not its own. */
  hold(): number | undefined {
    return this.#isOwner ? this.#snapshot.hold() : undefined
  }

  /** When `hold` was called last, in epoch milliseconds. */
  get heldAt(): number {
    return this.#snapshot.heldAt
  }

  /** All of one moment: a commit in between is seen by none of them. */
  getMany(keys: readonly string[], now: number): (string | null)[] {
    if (this.hold() !== undefined) return keys.map((key) => this.get(key, now))
    this.#connection.exec('BEGIN')
    try {
      return keys.map((key) => this.get(key, now))
    } finally {
      rollBack(this.#connection)
    }
  }

  /** Keys as stored, in order; see key-scan.ts. */
  page(start: string | Uint8Array, isAfter: boolean, now: number): unknown[] {
    const statement = isAfter ? this.#pageAfter : this.#pageFrom
    return statement.all(start, now).map((row) => (row as { key: unknown }).key)
  }

  logEnd(): LogEnd {
    const row = this.#lastId.get() as { seq: number | bigint } | null | undefined
    return { incarnation: this.#incarnation, id: row == null ? 0 : Number(row.seq) }
  }

  messagesAfter(id: number, limit: number): { id: number; text: string }[] {
    return this.#messages.all(id, limit).map((row) => {
      const message = row as { id: number | bigint; text: unknown }
      return { id: Number(message.id), text: decodeText(message.text) }
    })
  }

  #assertReady(path: string, identity: string | undefined): void {
    this.#connection.exec('PRAGMA busy_timeout = 0; PRAGMA query_only = 1')
    const isReady =
      identify(this.#connection, path) === 'ours' &&
      readPragma(this.#connection, 'journal_mode') === 'wal' &&
      isTrusted(this.#connection)
    if (!isReady || identityOf(path) !== identity) throw new Error(`${path} is being made or replaced`)
  }

  close(): void {
    this.#snapshot.drop()
    if (this.#isOwner) this.#connection.close()
  }
}
