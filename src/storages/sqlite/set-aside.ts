/**
 * Moves a corrupt file out of the way, with its log, so that a new one can begin.
 *
 * The file at a path is told by device and inode. Several processes may find the same corruption: a lock file
 * makes one of them move it, and the identity, compared under the lock, keeps the others from moving the new
 * file. A lock whose owner was killed is void after `STALE_LOCK`. May import siblings.
 */

import { closeSync, openSync, renameSync, rmSync, statSync } from 'node:fs'
import { busyError } from './result-code.ts'

const STALE_LOCK = 5_000

/** Device and inode of the file at `path`, `undefined` where there is none or it cannot be told. */
export function identityOf(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path, { bigint: true })
    return `${dev}:${ino}`
  } catch {
    return undefined
  }
}

/** Whoever opens the file now could leave a log of the old file beside the new one. */
export function isBeingSetAside(path: string): boolean {
  const lock = statSync(lockOf(path), { throwIfNoEntry: false })
  return lock !== undefined && Date.now() - lock.mtimeMs < STALE_LOCK
}

/**
 * The new path, or `undefined` where the file at `path` is no longer the one that was found corrupt.
 *
 * @throws an error for which `isBusy` holds, while another process does the same
 */
export function setAside(path: string, corrupt: string | undefined): string | undefined {
  const target = `${path}.corrupt-${new Date().toISOString().replaceAll(':', '-')}`
  return remove(path, corrupt, (suffix) => moveIfThere(path + suffix, target + suffix)) ? target : undefined
}

/**
 * Whether the file at `path` was still the one that is not to be used.
 *
 * @throws as `setAside`
 */
export function discard(path: string, identity: string | undefined): boolean {
  return remove(path, identity, (suffix) => rmSync(path + suffix, { force: true }))
}

function remove(path: string, identity: string | undefined, part: (suffix: string) => void): boolean {
  if (identity === undefined) return false
  takeLock(path)
  try {
    if (identityOf(path) !== identity) return false
    // The log leaves first: SQLite would replay an orphaned one into the new file.
    for (const suffix of ['-wal', '-shm', '']) part(suffix)
    return true
  } finally {
    rmSync(lockOf(path), { force: true })
  }
}

function takeLock(path: string): void {
  try {
    closeSync(openSync(lockOf(path), 'wx'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    if (!isBeingSetAside(path)) rmSync(lockOf(path), { force: true })
    throw busyError(`${path} is being set aside`)
  }
}

function lockOf(path: string): string {
  return `${path}.lock`
}

function moveIfThere(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
