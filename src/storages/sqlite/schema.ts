/**
 * The file: how it is told from others, and how it is laid out.
 *
 * Rows are numbered in the order in which they were stored, so "least recently stored" needs no index of its own. Where
 * the size is limited a replaced row is a new row; where it is not, nothing is evicted, and a row changes in its place.
 * Key and value have no declared type: TEXT, or BLOB where TEXT cannot carry the string (see text.ts).
 *
 * Version 2 has the feed's log and the leases; a file of version 1 is brought to it where it is. An incarnation tells
 * one file from the next at the same path, as their messages are numbered alike; `boot` is what flush-mark.ts keeps.
 */

import { StorageError } from '../../errors.ts'
import { bootName } from '../../resilience/boot-name.ts'
import type { SQLiteConnection } from './driver.ts'

/** `STQY`, shown by file(1) and kept in the header by `PRAGMA application_id`. */
const APPLICATION_ID = 0x53545159
const VERSION = 2

const VERSION_1 = `
  CREATE TABLE entry (id INTEGER PRIMARY KEY, key NOT NULL UNIQUE, expires INTEGER, value NOT NULL);
  CREATE INDEX entry_expires ON entry (expires) WHERE expires IS NOT NULL;
  PRAGMA application_id = ${APPLICATION_ID};
`

const version2 = () => `
  CREATE TABLE message (id INTEGER PRIMARY KEY AUTOINCREMENT, text NOT NULL, written INTEGER NOT NULL);
  CREATE TABLE lease (key NOT NULL PRIMARY KEY, token TEXT NOT NULL, expires INTEGER NOT NULL) WITHOUT ROWID;
  CREATE INDEX lease_expires ON lease (expires);
  CREATE TABLE meta (name TEXT NOT NULL PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
  INSERT INTO meta (name, value) VALUES ('incarnation', lower(hex(randomblob(16)))), ('boot', '${bootName()}');
  PRAGMA user_version = ${VERSION};
`

/**
 * Makes sure that the file is ours, creating its tables where they are missing. A file that is not ours is not
 * changed in any way.
 *
 * @throws StorageError (`STORAGE_UNAVAILABLE`) for a newer version or another application's database.
 */
export function prepareFile(connection: SQLiteConnection, path: string): void {
  if (identify(connection, path) === 'ours') return
  // What a crash of the machine leaves of a file in the making is empty, or found corrupt: neither has any entries.
  connection.exec('PRAGMA synchronous = OFF; PRAGMA auto_vacuum = INCREMENTAL')
  const journal = readPragma(connection, 'journal_mode = WAL')
  if (journal !== 'wal' && journal !== 'memory') {
    throw new StorageError(
      'STORAGE_UNAVAILABLE',
      `SQLite file ${JSON.stringify(path)} cannot use a write-ahead log (its journal mode stays ` +
        `${JSON.stringify(journal)}): expected a local file system`,
    )
  }
  connection.exec('BEGIN IMMEDIATE')
  try {
    // Another process may have been faster.
    const state = identify(connection, path)
    if (state === 'empty') connection.exec(VERSION_1)
    if (state !== 'ours') connection.exec(version2())
    connection.exec('COMMIT')
  } catch (error) {
    rollBack(connection)
    throw error
  }
}

export function rollBack(connection: SQLiteConnection): void {
  try {
    connection.exec('ROLLBACK')
  } catch {
    // SQLite has rolled back by itself, as it does after a full disk.
  }
}

export function readPragma(connection: SQLiteConnection, pragma: string): unknown {
  const row = connection.prepare(`PRAGMA ${pragma}`).get()
  return Object.values(row as Record<string, unknown>)[0]
}

/** @throws StorageError (`STORAGE_UNAVAILABLE`) for a newer version or another application's database. */
export function identify(connection: SQLiteConnection, path: string): 'ours' | 'older' | 'empty' {
  // In one statement, so that the three are of one moment: another process may just be making the file.
  const header = connection
    .prepare(
      'SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema) AS tables ' +
        'FROM pragma_application_id, pragma_user_version',
    )
    .get() as Record<'application_id' | 'user_version' | 'tables', number | bigint>
  const application = Number(header.application_id)
  const version = Number(header.user_version)
  const tables = Number(header.tables)
  if (application === APPLICATION_ID && version === VERSION) return 'ours'
  if (application === APPLICATION_ID && version >= 1 && version < VERSION) return 'older'
  if (application === APPLICATION_ID) {
    throw new StorageError(
      'STORAGE_UNAVAILABLE',
      `SQLite file ${JSON.stringify(path)} has schema version ${version}, this version of stackquery expected ` +
        `${VERSION}; it is left untouched: upgrade stackquery, or use another path`,
    )
  }
  if (application === 0 && version === 0 && tables === 0) return 'empty'
  throw new StorageError(
    'STORAGE_UNAVAILABLE',
    `SQLite file ${JSON.stringify(path)} belongs to another application (application_id ${application}, ` +
      `${tables} tables): it is left untouched; expected a file of stackquery's own, or none`,
  )
}
