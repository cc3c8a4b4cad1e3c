/**
 * Writes that the file does not hold yet, on the calling thread.
 *
 * Invariants: a key's writes are committed in their order; at most `DEPTH` batches are under way, and what
 * comes meanwhile is gathered into the next one (group commit without a timer). Until a write is settled,
 * `peek` shows it to this process. A promise settles with the fate of its own entries only.
 * Owns no timer. May import siblings.
 */

import type { WriteBatch } from './committer.ts'
import type { CommitReport } from './write-engine.ts'

/** A write as asked for: `value: null` deletes, `expires` is in epoch milliseconds. */
export interface Write {
  readonly key: string
  readonly value: string | null
  readonly expires: number | null
}

interface QueuedWrite extends Write {
  readonly caller: Caller
}

interface Caller {
  unsettled: number
  error: Error | undefined
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/** So many that the thread is never idle, so few that a new write does not wait for long. */
const DEPTH = 2
const MAX_CHARACTERS = 1_000_000

export class WriteQueue {
  readonly #commit: (batch: WriteBatch) => Promise<CommitReport>
  readonly #maxEntries: () => number
  readonly #newest = new Map<string, QueuedWrite>()
  #queue: QueuedWrite[] = []
  #head = 0
  #underWay = 0
  #isScheduled = false
  #settled: Promise<unknown> = Promise.resolve()

  constructor(commit: (batch: WriteBatch) => Promise<CommitReport>, maxEntries: () => number) {
    this.#commit = commit
    this.#maxEntries = maxEntries
  }

  /** The newest write to `key` that is not settled. */
  peek(key: string): Write | undefined {
    return this.#newest.size === 0 ? undefined : this.#newest.get(key)
  }

  push(writes: readonly Write[]): Promise<void> {
    const promise = new Promise<void>((resolve, reject) => {
      const caller = { unsettled: writes.length, error: undefined, resolve, reject }
      if (writes.length === 0) resolve()
      for (const { key, value, expires } of writes) {
        const queued = { key, value, expires, caller }
        this.#newest.set(key, queued)
        this.#queue.push(queued)
      }
    })
    this.#settled = promise
    this.#schedule()
    return promise
  }

  /** Resolves when every write that is queued now is settled; never rejects. */
  async settled(): Promise<void> {
    await this.#settled.catch(() => {})
  }

  #schedule(): void {
    if (this.#isScheduled || this.#underWay >= DEPTH || this.#head === this.#queue.length) return
    this.#isScheduled = true
    queueMicrotask(() => {
      this.#isScheduled = false
      void this.#send(this.#take())
      this.#schedule()
    })
  }

  #take(): QueuedWrite[] {
    let characters = 0
    let end = this.#head
    const limit = Math.min(this.#queue.length, end + this.#maxEntries())
    while (end < limit && characters < MAX_CHARACTERS) {
      const { key, value } = this.#queue[end++]!
      characters += key.length + (value?.length ?? 0)
    }
    const taken = this.#queue.slice(this.#head, end)
    this.#head = end
    if (end === this.#queue.length) {
      this.#queue = []
      this.#head = 0
    }
    return taken
  }

  async #send(writes: readonly QueuedWrite[]): Promise<void> {
    this.#underWay++
    let failures: ReadonlyMap<number, Error> | undefined
    let failure: Error | undefined
    try {
      const report = await this.#commit({
        keys: writes.map((write) => write.key),
        values: writes.map((write) => write.value),
        expires: writes.map((write) => write.expires),
      })
      failures = report.failures
    } catch (error) {
      failure = error as Error
    }
    this.#underWay--
    this.#schedule()
    writes.forEach((write, i) => {
      this.#settle(write, failure ?? failures?.get(i))
    })
  }

  #settle(write: QueuedWrite, error: Error | undefined): void {
    const { key, caller } = write
    if (this.#newest.get(key) === write) this.#newest.delete(key)
    caller.error ??= error
    if (--caller.unsettled > 0) return
    if (caller.error === undefined) caller.resolve()
    else caller.reject(caller.error)
  }
}
