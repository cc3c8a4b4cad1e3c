/**
 * Writes through a thread; where none can be had, from then on through an engine on the calling thread.
 *
 * May import siblings.
 */

import type { WriteBatch } from './committer.ts'
import { ThreadUnavailableError, type WriteHost } from './thread-host.ts'
import type { CommitReport, OpenReport } from './write-engine.ts'

export class FallbackHost implements WriteHost {
  #host: WriteHost
  #substitute: ((reason: unknown) => WriteHost) | undefined

  /** `substitute` is called once at most. */
  constructor(host: WriteHost, substitute: (reason: unknown) => WriteHost) {
    this.#host = host
    this.#substitute = substitute
  }

  open(isSuspect: boolean, isAwaited?: boolean): Promise<OpenReport> {
    return this.#perform((host) => host.open(isSuspect, isAwaited))
  }

  commit(batch: WriteBatch): Promise<CommitReport> {
    return this.#perform((host) => host.commit(batch))
  }

  close(): Promise<void> {
    return this.#perform((host) => host.close())
  }

  async #perform<T>(call: (host: WriteHost) => Promise<T>): Promise<T> {
    try {
      return await call(this.#host)
    } catch (error) {
      if (!(error instanceof ThreadUnavailableError)) throw error
      if (this.#substitute !== undefined) {
        const substitute = this.#substitute
        this.#substitute = undefined
        this.#host = substitute(error.cause)
      }
      return call(this.#host)
    }
  }
}
