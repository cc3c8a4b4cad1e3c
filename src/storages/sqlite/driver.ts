/**
 * What this storage needs of a SQLite driver, described by shape, so that no driver is imported.
 *
 * `node:sqlite`, `bun:sqlite`, `better-sqlite3` and `@photostructure/sqlite` all fit. May import nothing.
 */

/** What a statement takes and gives back. */
export type SQLiteValue = string | number | bigint | null | Uint8Array

export interface SQLiteStatement {
  /** The first row as an object, `undefined` or `null` where there is none. */
  get(...parameters: SQLiteValue[]): unknown
  all(...parameters: SQLiteValue[]): unknown[]
  run(...parameters: SQLiteValue[]): unknown
}

export interface SQLiteConnection {
  exec(sql: string): unknown
  prepare(sql: string): SQLiteStatement
  close(): unknown
}

/**
 * `DatabaseSync` of `node:sqlite`, `Database` of `better-sqlite3` or of `bun:sqlite`, or any class of that shape.
 * Without options it opens a file for reading and writing, and creates it where missing.
 */
export type SQLiteDriver = new (path: string, options?: ReadOnlyOption) => SQLiteConnection

export type ReadOnlyOption = { readonly readOnly: true } | { readonly readonly: true }

/** `node:sqlite` and its kin overlook the one spelling, the others refuse the other. */
export function openReadOnly(Driver: SQLiteDriver, path: string): SQLiteConnection {
  return new Driver(path, Driver.name === 'DatabaseSync' ? { readOnly: true } : { readonly: true })
}

/** The drivers that the storage knows how to load by itself. */
export type SQLiteDriverName = 'node:sqlite' | 'bun:sqlite' | 'better-sqlite3' | '@photostructure/sqlite'
