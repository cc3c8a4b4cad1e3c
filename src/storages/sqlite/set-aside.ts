/**
 * Moves a corrupt file out of the way, with its log, so that a new one can begin.
 *
 * The file at a path is told by device and inode. Two processes may find the same corruption: the slower one
 * must not move the faster one's new file, so the identity is compared just before. May import nothing.
 */

import { renameSync, statSync } from 'node:fs'

/** Device and inode of the file at `path`, `undefined` where there is none or it cannot be told. */
export function identityOf(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path, { bigint: true })
    return `${dev}:${ino}`
  } catch {
    return undefined
  }
}

/** The new path, or `undefined` where the file at `path` is no longer the one that was found corrupt. */
export function setAside(path: string, corrupt: string | undefined): string | undefined {
  if (corrupt === undefined || identityOf(path) !== corrupt) return undefined
  const target = `${path}.corrupt-${new Date().toISOString().replaceAll(':', '-')}`
  // The log leaves first: SQLite would replay an orphaned one into the new file.
  moveIfThere(`${path}-wal`, `${target}-wal`)
  moveIfThere(`${path}-shm`, `${target}-shm`)
  renameSync(path, target)
  return target
}

function moveIfThere(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
