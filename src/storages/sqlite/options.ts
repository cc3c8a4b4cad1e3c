/**
 * The options of `SQLiteStorage`, checked once. May import ports, errors and siblings.
 */

import { resolve } from 'node:path'
import { InvalidOptionError } from '../../errors.ts'
import type { Logger } from '../../ports/logger.ts'
import type { SQLiteDriver, SQLiteDriverName } from './driver.ts'
import { DRIVER_NAMES } from './load-driver.ts'

export interface SQLiteStorageOptions {
  /**
   * The file, relative to the working directory at construction; it and its directories are created where
   * missing. SQLite keeps a `-wal` and a `-shm` file beside it while it is in use. `':memory:'` keeps
   * everything in this process, for tests.
   * @default 'cache.db'
   * @throws InvalidOptionError (`INVALID_OPTION`) for an empty path or a `file:` URL
   */
  readonly path?: string | undefined

  /**
   * The most that the file may hold, in bytes, at least 131,072. Past it entries leave, with each batch of writes:
   * those with a ttl, least recently stored first, then those without. The write-ahead log, a quarter of this and
   * 16 MB at most, comes on top. A value larger than this is never kept, which the logger is told once.
   * @default Infinity
   * @throws InvalidOptionError (`INVALID_OPTION`) for less, or what is no number
   * @example 500 * 1024 ** 2
   */
  readonly maxSize?: number | undefined

  /**
   * How many messages the change feed keeps, at least 1. A follower that was suspended or blocked while more were
   * appended is told of a gap. Processes on one file should agree: the smallest number counts. Under `maxSize` the
   * feed takes an eighth of it at most.
   * @default 10_000
   * @throws InvalidOptionError (`INVALID_OPTION`) for less, or what is no integer
   */
  readonly feedLength?: number | undefined

  /**
   * The SQLite driver: the name of one, or its database class (`DatabaseSync` of `node:sqlite`, `Database`
   * of `better-sqlite3` or `bun:sqlite`, or any of that shape). A class cannot be handed to another thread,
   * so with one the writes stay on the calling thread, in short transactions without an fsync; prefer a name.
   * All storages of one process on the same file must use the same driver: POSIX locks do not hold between
   * two copies of SQLite in a process.
   * @default the first that is there: 'bun:sqlite', 'node:sqlite', 'better-sqlite3', '@photostructure/sqlite'
   * @throws InvalidOptionError (`INVALID_OPTION`) for anything else
   */
  readonly driver?: SQLiteDriverName | SQLiteDriver | undefined

  /**
   * Told, with `warn`, what an operation's result cannot say: a corrupt file that was set aside, a writing
   * thread that could not be started.
   * @default console
   */
  readonly logger?: Pick<Logger, 'warn'> | undefined
}

export type Settings = {
  readonly path: string
  readonly maxSize: number
  readonly feedLength: number
  readonly driver: SQLiteDriverName | SQLiteDriver | undefined
  readonly logger: Pick<Logger, 'warn'>
}

export const MIN_SIZE = 131_072

export function checkOptions(pathOrOptions: string | SQLiteStorageOptions): Settings {
  const options = typeof pathOrOptions === 'string' ? { path: pathOrOptions } : pathOrOptions
  if (typeof options !== 'object' || options === null) {
    throw invalid('pathOrOptions', options, 'a path or an object of options')
  }
  const { path = 'cache.db', maxSize = Number.POSITIVE_INFINITY, feedLength = 10_000 } = options
  const { driver, logger = console } = options
  if (typeof path !== 'string' || path === '' || path.includes('\0') || path.startsWith('file:')) {
    throw invalid('path', path, "a path of the file system, or ':memory:'")
  }
  if (typeof maxSize !== 'number' || !(maxSize >= MIN_SIZE)) {
    throw invalid('maxSize', maxSize, `a number of bytes, ${MIN_SIZE} or more`)
  }
  if (!(Number.isSafeInteger(feedLength) && feedLength >= 1)) {
    throw invalid('feedLength', feedLength, 'an integer, 1 or more')
  }
  const isNamed = DRIVER_NAMES.some((name) => name === driver)
  if (driver !== undefined && typeof driver !== 'function' && !isNamed) {
    throw invalid('driver', driver, `a database class, or one of ${DRIVER_NAMES.join(', ')}`)
  }
  if (typeof logger?.warn !== 'function') throw invalid('logger', logger, 'an object with a warn method')
  return { path: path === ':memory:' ? path : resolve(path), maxSize, feedLength, driver, logger }
}

export function invalid(option: string, value: unknown, expected: string): InvalidOptionError {
  const shown = typeof value === 'string' ? JSON.stringify(value) : String(value)
  return new InvalidOptionError(`SQLiteStorage: ${option} is ${shown}, expected ${expected}`)
}
