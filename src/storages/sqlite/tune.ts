/** What a writing connection is set to, once. May import siblings. */

import type { SQLiteConnection } from './driver.ts'

const PAGE_SIZE = 4_096

/** The log may grow to 16 MB in a thread: fewer checkpoints, each an fsync. On the calling thread both stay away. */
export function tune(
  connection: SQLiteConnection,
  { maxSize, isOwnThread }: { readonly maxSize: number; readonly isOwnThread: boolean },
): void {
  const logPages = isOwnThread ? Math.min(4_000, Math.max(100, Math.ceil(maxSize / 4 / PAGE_SIZE))) : 100
  setDurable(connection, false, { isOwnThread })
  connection.exec(`PRAGMA wal_autocheckpoint = ${logPages}`)
  connection.exec(`PRAGMA journal_size_limit = ${logPages * PAGE_SIZE}`)
  connection.exec('PRAGMA cache_size = -16000')
}

/** Whether a commit waits for the disk. Outside of transactions. */
export function setDurable(
  connection: SQLiteConnection,
  isDurable: boolean,
  { isOwnThread }: { readonly isOwnThread: boolean },
): void {
  connection.exec(`PRAGMA synchronous = ${isDurable ? 'FULL' : isOwnThread ? 'NORMAL' : 'OFF'}`)
}
