/**
 * Tells the other processes at once that the feed's log has grown, by a byte written to a file that they watch.
 *
 * A hint and nothing more: where files cannot be watched, or a ring is lost, followers find the news by looking at the
 * log now and then. Never throws. Owns its file handle; runs in the writing thread.
 * Imports nothing of the project.
 */

import { closeSync, constants, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const BELL_FILE = 'stackquery-cache.bell'
const STROKE = Buffer.from('.')

export function bellOf(directory: string): string {
  return join(directory, BELL_FILE)
}

export class Bell {
  #file: number | undefined

  constructor(directory: string) {
    try {
      this.#file = openSync(bellOf(directory), constants.O_RDWR | constants.O_CREAT, 0o666)
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
