/** The driver that `SQLiteStorage` finds as well: the built-in one, or the installed one; set as the storage sets it. */

import { join } from 'node:path'
import { emptyFolder } from './folder.mjs'

export function openRawSqlite() {
  return openSqlite(join(emptyFolder(), 'raw.db'))
}

export async function openSqlite(path) {
  const Database = await driver()
  const database = new Database(path)
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
  database.exec('CREATE TABLE IF NOT EXISTS entry (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID')
  return {
    database,
    set: database.prepare('INSERT OR REPLACE INTO entry (key, value) VALUES (?, ?)'),
    get: database.prepare('SELECT value FROM entry WHERE key = ?'),
  }
}

async function driver() {
  // Bun has node:sqlite as well, but the storage prefers its own.
  if ('bun' in process.versions) return (await import('bun:sqlite')).Database
  try {
    return (await import('node:sqlite')).DatabaseSync
  } catch {
    return (await import('@photostructure/sqlite')).DatabaseSync
  }
}
