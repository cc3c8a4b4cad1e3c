/**
 * Tells that a file was written, at once where files can be watched. A hint and nothing more: no event may come, or one
 * too many. Never throws, keeps no process alive. Owns its watcher, which `end` lets go. May import siblings.
 */

import { type FSWatcher, watch } from 'node:fs'
import { outsideOfRequests } from './system-clock.ts'

export class FileWatch {
  readonly #path: string
  readonly #onWritten: () => void
  #watcher: FSWatcher | undefined

  constructor(path: string, onWritten: () => void) {
    this.#path = path
    this.#onWritten = onWritten
  }

  get isOn(): boolean {
    return this.#watcher !== undefined
  }

  /** Does nothing while it watches already; may be tried again where the file was not there. */
  begin(): void {
    if (this.#watcher !== undefined) return
    try {
      this.#watcher = outsideOfRequests(() => watch(this.#path, { persistent: false }))
      this.#watcher.on('change', (event) => {
        // Deleted or replaced: what is there next is another file.
        if (event === 'rename') this.end()
        this.#onWritten()
      })
      this.#watcher.on('error', () => this.end())
    } catch {
      // Not there, no watches left, or a file system that has none.
    }
  }

  end(): void {
    this.#watcher?.close()
    this.#watcher = undefined
  }
}
