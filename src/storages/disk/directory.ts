/**
 * The directory of a cache: is it ours, can this version read it, is its data file whole. Runs in the writing
 * thread, so it may wait for the disk. May import siblings and errors.
 *
 * Order of creation: format file (atomically), tag, data. So a directory without a format file that holds
 * anything is somebody else's, also when several processes begin at once or one dies half way.
 */

import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { StorageError } from '../../errors.ts'
import { FORMAT } from './row.ts'

const FORMAT_FILE = 'stackquery-cache.json'
const DATA_FILE = 'data.mdb'
const LOCK_FILE = 'lock.mdb'
const TAG_FILE = 'CACHEDIR.TAG'
/** https://bford.info/cachedir/: backup programs leave such a directory out. */
const TAG = `Signature: 8a477f597d28d172789f06886806bc55
# A cache made by StackQuery (stackquery/disk). It may be deleted while no process uses it.
# For information about cache directory tags, see https://bford.info/cachedir/
`
/** What may lie in a directory that is empty for our purposes. */
const NEUTRAL = new Set([TAG_FILE, 'lost+found', '.DS_Store'])

/** Makes the directory or accepts it. Throws where it is not ours to use, having changed nothing. */
export function claimDirectory(directory: string): void {
  mkdirSync(directory, { recursive: true })
  const formatFile = join(directory, FORMAT_FILE)
  if (!existsSync(formatFile)) {
    const strangers = readdirSync(directory).filter(
      (name) => !NEUTRAL.has(name) && !name.startsWith(FORMAT_FILE),
    )
    // Looked at again: another process may have begun the cache in between.
    if (strangers.length > 0 && !existsSync(formatFile)) {
      throw refusal(
        `${directory} is not a cache of StackQuery, and not empty (it holds ${JSON.stringify(strangers[0])}): left untouched; choose another directory`,
      )
    }
    createOnce(formatFile, `${JSON.stringify({ application: 'stackquery/disk', format: FORMAT })}\n`)
  }
  checkFormat(formatFile)
  if (!existsSync(join(directory, TAG_FILE))) writeFileSync(join(directory, TAG_FILE), TAG)
}

function checkFormat(formatFile: string): void {
  let found: { application?: unknown; format?: unknown } | null = null
  try {
    found = JSON.parse(readFileSync(formatFile, 'utf8'))
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  if (found?.application !== 'stackquery/disk' || typeof found.format !== 'number') {
    throw refusal(`${formatFile} was not written by StackQuery: left untouched; choose another directory`)
  }
  if (found.format !== FORMAT) {
    throw refusal(
      `${formatFile} says format ${found.format}, this version reads format ${FORMAT}: left untouched; choose another directory or delete it`,
    )
  }
}

/** Whole or not there at all, and never over another process's. */
function createOnce(path: string, text: string): void {
  const draft = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`
  writeFileSync(draft, text)
  try {
    linkSync(draft, path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // A file system without hard links: renaming is whole as well, and all write the same.
    if (code !== 'EEXIST') renameSync(draft, path)
  } finally {
    rmSync(draft, { force: true })
  }
}

/** Names the data file that is there now; undefined = none. Another one under the path has another name. */
export function identifyData(directory: string): string | undefined {
  try {
    const { dev, ino } = statSync(join(directory, DATA_FILE), { bigint: true })
    return `${dev}:${ino}`
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

export function dataFileOf(directory: string): string {
  return join(directory, DATA_FILE)
}

/**
 * Puts the damaged data file out of the way (over the one before it), if it is still the one named. Processes
 * that have it open go on with it until they see that it has moved. Returns where it is, undefined when another
 * process was faster. Under the write lock.
 */
export function setAside(directory: string, identity: string): string | undefined {
  if (identifyData(directory) !== identity) return undefined
  const data = join(directory, DATA_FILE)
  // The locks belong to the data: processes on the old file must not share them with those on the new one.
  rmSync(join(directory, LOCK_FILE), { force: true })
  renameSync(data, `${data}.corrupt`)
  return `${data}.corrupt`
}

/** Deletes the data file. Under the write lock. */
export function discardData(directory: string): void {
  rmSync(join(directory, LOCK_FILE), { force: true })
  rmSync(join(directory, DATA_FILE), { force: true })
}

function refusal(message: string): StorageError {
  return new StorageError('STORAGE_UNAVAILABLE', message)
}
