/**
 * SQLite's primary result code of any driver's error, and the storage error that stands for it.
 *
 * The drivers disagree: `errcode` (node:sqlite), `errno` (bun:sqlite), a name in `code` (better-sqlite3).
 * Codes: https://sqlite.org/rescode.html. May import errors.
 */

import { StackQueryError, StorageError } from '../../errors.ts'

const BUSY = 5
const CORRUPT = 11
export const FULL = 13
const NOTADB = 26

const NAMES: readonly (readonly [RegExp, number])[] = [
  [/^SQLITE_BUSY/, BUSY],
  [/^SQLITE_LOCKED/, 6],
  [/^SQLITE_READONLY/, 8],
  [/^SQLITE_IOERR/, 10],
  [/^SQLITE_CORRUPT/, CORRUPT],
  [/^SQLITE_FULL/, FULL],
  [/^SQLITE_CANTOPEN/, 14],
  [/^SQLITE_NOTADB/, NOTADB],
]

const MESSAGES: readonly (readonly [RegExp, number])[] = [
  [/database (table )?is locked/i, BUSY],
  [/malformed/i, CORRUPT],
  [/disk is full/i, FULL],
  [/unable to open database/i, 14],
  [/readonly database/i, 8],
  [/not a database/i, NOTADB],
]

/** The primary result code, or 0 where the error is not SQLite's. */
export function resultCode(error: unknown): number {
  if (!(error instanceof Error)) return 0
  const { errcode, errno, code, message } = error as Error & {
    errcode?: unknown
    errno?: unknown
    code?: unknown
  }
  if (typeof errcode === 'number') return errcode & 0xff
  const name = String(code)
  if (name.startsWith('SQLITE_')) {
    const known = NAMES.find(([pattern]) => pattern.test(name))
    if (known !== undefined) return known[1]
    return typeof errno === 'number' ? errno & 0xff : 1
  }
  return MESSAGES.find(([pattern]) => pattern.test(message))?.[1] ?? 0
}

/** For what, like a lock, is over in a moment. */
export function busyError(message: string): Error {
  return Object.assign(new Error(message), { errcode: BUSY })
}

export function isBusy(error: unknown): boolean {
  const code = resultCode(error)
  return code === BUSY || code === 6
}

export function isCorrupt(error: unknown): boolean {
  const code = resultCode(error)
  return code === CORRUPT || code === NOTADB
}

/** A lasting condition of the file or its place is `STORAGE_UNAVAILABLE`, anything else `STORAGE_FAILED`. */
export function toStorageError(error: unknown, path: string): StackQueryError {
  if (error instanceof StackQueryError) return error
  const text = error instanceof Error ? error.message : String(error)
  const code = resultCode(error)
  // An error of the file system itself carries the name of the call that failed.
  const hint = HINTS.get(code) ?? ((error as { syscall?: unknown } | null)?.syscall && HINTS.get(14))
  return new StorageError(
    hint === undefined ? 'STORAGE_FAILED' : 'STORAGE_UNAVAILABLE',
    `SQLite file ${JSON.stringify(path)}: ${hint === undefined ? text : `${hint} (${text})`}`,
    { cause: error },
  )
}

const HINTS = new Map<number, string>([
  [BUSY, 'other processes kept it locked for too long'],
  [6, 'other connections kept it locked for too long'],
  [8, 'is read-only: the file and its directory must be writable'],
  [FULL, 'the disk is full'],
  [14, 'cannot be opened: expected a writable file, or a path where one can be created'],
])
