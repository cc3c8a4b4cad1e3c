/** Opens the file for writing, once. May import siblings. */

import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { SQLiteConnection, SQLiteDriver } from './driver.ts'
import { isTrusted, UnflushedError } from './flush-mark.ts'
import { busyError } from './result-code.ts'
import { prepareFile } from './schema.ts'
import { identityOf, isBeingSetAside } from './set-aside.ts'
import { tune } from './tune.ts'

export interface EngineSettings {
  readonly path: string
  readonly maxSize: number
  readonly feedLength: number
  /** `false` on the calling thread: then no write may wait for the disk. */
  readonly isOwnThread: boolean
}

/**
 * `onIdentity` is told which file it is before the first read of it, so that one that proves corrupt can be set aside.
 *
 * @throws an error for which `isBusy` holds, while the file is being replaced; UnflushedError; whatever the driver throws
 */
export function connect(
  Driver: SQLiteDriver,
  settings: EngineSettings,
  onIdentity: (identity: string | undefined) => void,
): SQLiteConnection {
  const { path } = settings
  const isFile = path !== ':memory:'
  if (isFile) mkdirSync(dirname(path), { recursive: true })
  const before = identityOf(path)
  const connection = new Driver(path)
  const identity = isFile ? identityOf(path) : undefined
  onIdentity(identity)
  const isReplaced = () =>
    isFile && (isBeingSetAside(path) || identityOf(path) !== identity || (before ?? identity) !== identity)
  try {
    connection.exec('PRAGMA busy_timeout = 0')
    if (isReplaced()) throw busyError(`${path} is being replaced`)
    prepareFile(connection, path)
    if (!isTrusted(connection)) throw new UnflushedError(path)
    tune(connection, settings)
    if (isReplaced()) throw busyError(`${path} is being replaced`)
  } catch (error) {
    connection.close()
    // Whatever went wrong then says nothing of the file that is there now.
    throw isReplaced() ? busyError(`${path} is being replaced`) : error
  }
  return connection
}
