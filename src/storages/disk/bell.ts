/**
 * Tells the other processes at once that the feed's log has grown, by a byte written to a file that they watch.
 *
 * A hint and nothing more: where files cannot be watched, or a ring is lost, followers find the news by looking at the
 * log now and then. Neither side throws or keeps a process alive. Each owns its file handle and has to be closed.
 * Imports nothing of the project.
 */

import { closeSync, constants, type FSWatcher, openSync, watch, writeSync } from 'node:fs'
import { join } from 'node:path'

const BELL_FILE = 'stackquery-cache.bell'
const STROKE = Buffer.from('.')

/** The writing thread's side. */
export class Bell {
  #file: number | undefined

  constructor(directory: string) {
    try {
      this.#file = openSync(join(directory, BELL_FILE), constants.O_RDWR | constants.O_CREAT, 0o666)
    } catch {
      this.#file = undefined
    }
  }

  ring(): void {
    if (this.#file === undefined) return
    try {
      writeSync(this.#file, STROKE, 0, 1, 0)
    } catch {
      // A full disk, for one.
    }
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file)
    this.#file = undefined
  }
}

/** The followers' side, on the calling thread. */
export class BellListener {
  readonly #path: string
  #watcher: FSWatcher | undefined

  constructor(directory: string) {
    this.#path = join(directory, BELL_FILE)
  }

  /** Does nothing while it is listening already. */
  listen(onRing: () => void): void {
    if (this.#watcher !== undefined) return
    try {
      this.#watcher = watch(this.#path, { persistent: false }, onRing)
      this.#watcher.on('error', () => this.silence())
    } catch {
      // No watches left, or a file system that has none.
    }
  }

  silence(): void {
    this.#watcher?.close()
    this.#watcher = undefined
  }
}
