/**
 * Whether the file is all on the disk: a row of `meta` that says `flushed`, or names the boot of the machine in which it
 * was last written.
 *
 * After a crash of the machine SQLite finds an earlier state of the file, whole, but without the last writes: an
 * invalidation among them would be undone, and the entries that it was for believed again. So a file that was written
 * in another boot and not flushed is not trusted: it is begun anew, which costs misses.
 *
 * Invariants: the mark leaves `flushed` in a transaction that waits for the disk, together with the first change of an
 * entry; it comes back to it in one that waits for the disk too, and so for all before it. Leases and messages need no
 * mark: whoever they are for has died with the machine. A connection that never waits for the disk marks the file for
 * good, whatever it writes, since it may move what others wrote out of the log. All methods run inside a write transaction. May import resilience and siblings.
 */

import { bootName, isThisBoot } from '../../resilience/boot-name.ts'
import type { SQLiteConnection, SQLiteStatement } from './driver.ts'

const FLUSHED = 'flushed'
/** Written without waiting for the disk: no later wait can make up for it. */
const UNSYNCED = '!'
const READ = "SELECT value FROM meta WHERE name = 'boot'"

/** The machine went down before the file was flushed. */
export class UnflushedError extends Error {
  constructor(path: string) {
    super(`SQLite file ${JSON.stringify(path)}: the machine went down before it was flushed`)
  }
}

/** Of a file that is ours. */
export function isTrusted(connection: SQLiteConnection): boolean {
  const mark = markOf(connection.prepare(READ))
  return mark === FLUSHED || isThisBoot(mark.replace(UNSYNCED, ''))
}

export class FlushMark {
  readonly #suffix: string
  readonly #read: SQLiteStatement
  readonly #write: SQLiteStatement

  constructor(connection: SQLiteConnection, isOwnThread: boolean) {
    this.#suffix = isOwnThread ? '' : UNSYNCED
    this.#read = connection.prepare(READ)
    this.#write = connection.prepare("INSERT OR REPLACE INTO meta (name, value) VALUES ('boot', ?)")
  }

  /** Entries may be changed. */
  isSet(): boolean {
    const mark = markOf(this.#read)
    return mark !== FLUSHED && mark.endsWith(this.#suffix)
  }

  set(): void {
    this.#write.run(bootName() + this.#suffix)
  }

  /** Whether there was anything to flush. */
  clear(): boolean {
    const mark = markOf(this.#read)
    if (mark === FLUSHED || mark.endsWith(UNSYNCED)) return false
    this.#write.run(FLUSHED)
    return true
  }
}

function markOf(read: SQLiteStatement): string {
  const row = read.get() as { value: unknown } | null | undefined
  return String(row?.value ?? '')
}
