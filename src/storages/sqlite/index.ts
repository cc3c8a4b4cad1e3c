/** `stackquery/sqlite`: the public names, nothing else. */
export type {
  SQLiteConnection,
  SQLiteDriver,
  SQLiteDriverName,
  SQLiteStatement,
  SQLiteValue,
} from './driver.ts'
export type { SQLiteStorageOptions } from './options.ts'
export { SQLiteStorage } from './sqlite-storage.ts'
