/**
 * Writes batches on one connection: each batch is one transaction, which also culls a few rows.
 *
 * Invariants: a batch is written as a whole or not at all. The culling of one batch is bounded, so that no
 * batch waits for a sweep of the file. Statements are prepared once. Owns no timer and not the connection.
 * May import siblings.
 */

import type { SQLiteConnection, SQLiteStatement, SQLiteValue } from './driver.ts'
import type { WriteKind } from './entry.ts'
import { FlushMark } from './flush-mark.ts'
import { type LeaseKind, LeaseTable } from './lease-table.ts'
import { MessageTable } from './message-table.ts'
import { Room } from './room.ts'
import { rollBack } from './schema.ts'
import { encodeText } from './text.ts'
import { setDurable } from './tune.ts'

/** Parallel arrays, which cross to another thread faster than objects do. */
export interface WriteBatch {
  readonly keys: readonly string[]
  readonly values: readonly (string | null)[]
  readonly expires: readonly (number | null)[]
  /** Index -> kind, of those that are no `put`. */
  readonly kinds: ReadonlyMap<number, WriteKind>
}

/** Rows of one INSERT: a statement's own overhead is about half of a small write. */
const ROWS = 16
/** Half the cost of a new row in the place of an old one, which tells nobody any more which was stored last. */
const CHANGE_IN_PLACE = ' ON CONFLICT (key) DO UPDATE SET expires = excluded.expires, value = excluded.value'
const SPARE_SWEEPS = 16
const MAX_SWEEPS = 1_000

/** Of `maxSize`, what the feed may take. */
const FEED_SHARE = 1 / 8

export interface CommitterSettings {
  readonly maxSize: number
  readonly feedLength: number
  readonly isOwnThread: boolean
  /** Told of the bytes of a value that `maxSize` has no room for. */
  readonly onTooLarge: (size: number) => void
}

export class Committer {
  readonly #connection: SQLiteConnection
  readonly #settings: CommitterSettings
  readonly #put: SQLiteStatement
  readonly #putRows: SQLiteStatement
  readonly #delete: SQLiteStatement
  readonly #live: SQLiteStatement
  readonly #mark: FlushMark
  readonly #leases: LeaseTable
  readonly #messages: MessageTable
  readonly #sweep: SQLiteStatement
  readonly #version: SQLiteStatement
  readonly #room: Room | undefined

  constructor(connection: SQLiteConnection, settings: CommitterSettings) {
    const { maxSize, feedLength, isOwnThread } = settings
    const isLimited = maxSize !== Number.POSITIVE_INFINITY
    this.#connection = connection
    this.#settings = settings
    const put = (rows: number) =>
      connection.prepare(
        `INSERT ${isLimited ? 'OR REPLACE ' : ''}INTO entry (key, expires, value) VALUES ` +
          Array(rows).fill('(?, ?, ?)').join(', ') +
          (isLimited ? '' : CHANGE_IN_PLACE),
      )
    this.#put = put(1)
    this.#putRows = put(ROWS)
    this.#delete = connection.prepare('DELETE FROM entry WHERE key = ?')
    this.#live = connection.prepare('SELECT 1 FROM entry WHERE key = ? AND (expires IS NULL OR expires > ?)')
    this.#mark = new FlushMark(connection, isOwnThread)
    this.#leases = new LeaseTable(connection)
    this.#messages = new MessageTable(connection, feedLength, maxSize * FEED_SHARE)
    this.#sweep = connection.prepare(
      'DELETE FROM entry WHERE id IN (SELECT id FROM entry WHERE expires <= ? ORDER BY expires LIMIT ?)',
    )
    this.#version = connection.prepare('SELECT data_version AS version FROM pragma_data_version')
    if (isLimited) this.#room = new Room(connection, maxSize, isOwnThread)
  }

  /** Indices of what was refused: an `add` to a key that has a value, a lease that another holds. */
  commit(batch: WriteBatch, from: number, to: number): number[] {
    const { isOwnThread } = this.#settings
    const work = (): number[] => {
      const refused = this.#write(batch, from, to)
      this.#sweep.run(Date.now(), Math.min(MAX_SWEEPS, SPARE_SWEEPS + 2 * (to - from)))
      this.#room?.make()
      return refused
    }
    const isMarked = () => this.#mark.isSet() || (isOwnThread && !changesEntries(batch, from, to))
    const done = this.#transact(() => (isMarked() ? { refused: work() } : undefined))
    if (done !== undefined) return done.refused
    return this.#durably(() => {
      this.#mark.set()
      return work()
    })
  }

  /** Changes with each commit of another connection. */
  version(): unknown {
    return (this.#version.get() as { version: unknown }).version
  }

  /** Makes all that was written so far outlive the machine. */
  settle(): void {
    this.#durably(() => this.#mark.clear())
  }

  #durably<T>(work: () => T): T {
    setDurable(this.#connection, true, this.#settings)
    try {
      return this.#transact(work)
    } finally {
      setDurable(this.#connection, false, this.#settings)
    }
  }

  #transact<T>(work: () => T): T {
    this.#connection.exec('BEGIN IMMEDIATE')
    try {
      const result = work()
      this.#connection.exec('COMMIT')
      return result
    } catch (error) {
      rollBack(this.#connection)
      this.#room?.rolledBack()
      throw error
    }
  }

  #write(batch: WriteBatch, from: number, to: number): number[] {
    const refused: number[] = []
    const messages: string[] = []
    let rows: SQLiteValue[] = []
    const putRest = () => {
      for (let i = 0; i < rows.length; i += 3) this.#put.run(rows[i]!, rows[i + 1]!, rows[i + 2]!)
      rows = []
    }
    for (let i = from; i < to; i++) {
      const kind = batch.kinds.get(i) ?? 'put'
      const value = batch.values[i]!
      if (kind === 'append') {
        messages.push(value)
        continue
      }
      const key = encodeText(batch.keys[i]!)
      if (kind !== 'put') putRest()
      if (kind === 'add' ? this.#hasLive(key) : kind !== 'put' && !this.#lease(kind, key, batch, i)) {
        refused.push(i)
      } else if (kind === 'put' || kind === 'add') {
        const isTooLarge = value !== null && this.#isTooLarge(value)
        if (isTooLarge && kind === 'add') refused.push(i)
        if (value === null || isTooLarge) {
          putRest()
          this.#delete.run(key)
          continue
        }
        rows.push(key, batch.expires[i]!, encodeText(value))
        if (rows.length < 3 * ROWS) continue
        this.#putRows.run(...rows)
        rows = []
      }
    }
    putRest()
    if (messages.length > 0) this.#messages.append(messages)
    return refused
  }

  #hasLive(key: SQLiteValue): boolean {
    return this.#live.get(key, Date.now()) != null
  }

  #lease(kind: LeaseKind, key: SQLiteValue, batch: WriteBatch, i: number): boolean {
    return this.#leases.perform(kind, key, batch.values[i]!, batch.expires[i]!, Date.now())
  }

  /** To keep such a value, every other entry would have to leave, and then the value itself. */
  #isTooLarge(value: string): boolean {
    if (3 * value.length <= this.#settings.maxSize) return false
    const size = Buffer.byteLength(value)
    if (size <= this.#settings.maxSize) return false
    this.#settings.onTooLarge(size)
    return true
  }
}

function changesEntries({ kinds }: WriteBatch, from: number, to: number): boolean {
  for (let i = from; i < to; i++) {
    const kind = kinds.get(i) ?? 'put'
    if (kind === 'put' || kind === 'add') return true
  }
  return false
}
