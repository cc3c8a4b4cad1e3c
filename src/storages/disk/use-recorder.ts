/**
 * Tells the writer which entries were read, for eviction by last use. Best effort: what is not told makes an
 * entry look a little older.
 *
 * Owns one timer, which never keeps the process alive; `flush` ends it. May import siblings.
 */

import type { Operation } from './protocol.ts'
import type { WriterHost } from './writer-host.ts'

const MAX_KEYS = 256
const DELAY = 100

export class UseRecorder {
  readonly #writer: WriterHost
  #keys = new Set<string>()
  #timer: NodeJS.Timeout | undefined

  constructor(writer: WriterHost) {
    this.#writer = writer
  }

  add(key: string): void {
    this.#keys.add(key)
    if (this.#keys.size >= MAX_KEYS) this.flush()
    else this.#timer ??= setTimeout(() => this.flush(), DELAY).unref()
  }

  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#keys.size === 0) return
    const operations = Array.from(this.#keys, (key): Operation => ({ kind: 'touch', key }))
    this.#keys = new Set()
    this.#writer.write(operations).catch(() => undefined)
  }
}
