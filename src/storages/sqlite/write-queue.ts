/**
 * Writes that the file does not hold yet, on the calling thread.
 *
 * Invariants: a key's writes are committed in their order; at most `DEPTH` batches are under way, and what
 * comes meanwhile is gathered into the next one (group commit without a timer). Until a write is settled,
 * `peek` shows it to this process. A promise settles with the fate of its own entries only.
 * Owns no timer. May import siblings.
 */

import type { WriteBatch } from './committer.ts'
import type { Write, WriteKind } from './entry.ts'
import type { CommitReport } from './write-engine.ts'

interface Caller {
  unsettled: number
  error: Error | undefined
  isRefused: boolean
  readonly resolve: (isDone: boolean) => void
  readonly reject: (error: Error) => void
}

/** So many that the thread is never idle, so few that a new write does not wait for long. */
const DEPTH = 2
const MAX_CHARACTERS = 1_000_000

export class WriteQueue {
  readonly #commit: (batch: WriteBatch) => Promise<CommitReport>
  readonly #maxEntries: () => number
  /** The newest write of each key, from the first `peek` on until all are settled: a burst that nobody reads needs none. */
  #newest: Map<string, Write> | null = null
  /** What is under way, oldest first. */
  readonly #sent = new Set<readonly Write[]>()
  /** Two queues in step: the writes, and to whom each belongs. */
  #writes: Write[] = []
  #callers: Caller[] = []
  #head = 0
  #underWay = 0
  #isScheduled = false
  #settled: Promise<unknown> = Promise.resolve()

  constructor(commit: (batch: WriteBatch) => Promise<CommitReport>, maxEntries: () => number) {
    this.#commit = commit
    this.#maxEntries = maxEntries
  }

  /** There is nothing that `peek` would show. */
  get isSettled(): boolean {
    return this.#sent.size === 0 && this.#head === this.#writes.length
  }

  /** The newest write to `key` that is not settled. */
  peek(key: string): Write | undefined {
    if (this.isSettled) return undefined
    this.#newest ??= this.#indexed()
    return this.#newest.get(key)
  }

  /** Resolves to `false` where any of the writes was refused. */
  push(writes: readonly Write[]): Promise<boolean> {
    if (writes.length === 0) return Promise.resolve(true)
    const settled = new Promise<boolean>((resolve, reject) => {
      const caller: Caller = { unsettled: writes.length, error: undefined, isRefused: false, resolve, reject }
      for (const write of writes) {
        if (write.kind === 'put') this.#newest?.set(write.key, write)
        this.#writes.push(write)
        this.#callers.push(caller)
      }
    })
    this.#settled = settled
    this.#schedule()
    return settled
  }

  /** Resolves when every write that is queued now is settled; never rejects. */
  async settled(): Promise<void> {
    await this.#settled.catch(() => {})
  }

  #schedule(): void {
    if (this.#isScheduled || this.#underWay >= DEPTH || this.#head === this.#writes.length) return
    this.#isScheduled = true
    queueMicrotask(() => {
      this.#isScheduled = false
      void this.#sendNext()
      this.#schedule()
    })
  }

  async #sendNext(): Promise<void> {
    const end = this.#batchEnd()
    const writes = this.#writes.slice(this.#head, end)
    const callers = this.#callers.slice(this.#head, end)
    this.#head = end
    if (end === this.#writes.length) {
      this.#writes = []
      this.#callers = []
      this.#head = 0
    }
    this.#underWay++
    this.#sent.add(writes)
    const batch = batchOf(writes)
    let failures: ReadonlyMap<number, Error> | undefined
    let failure: Error | undefined
    try {
      const report = await this.#commit(batch)
      failures = report.failures
      for (const i of report.refused) callers[i]!.isRefused = true
    } catch (error) {
      failure = error as Error
    }
    this.#underWay--
    this.#sent.delete(writes)
    this.#schedule()
    if (this.isSettled) this.#newest = null
    for (let i = 0; i < writes.length; i++) {
      const write = writes[i]!
      if (this.#newest?.get(write.key) === write) this.#newest.delete(write.key)
      // A table that the map has outgrown may hold the write for long.
      write.value = null
      settle(callers[i]!, failure ?? failures?.get(i))
    }
  }

  #indexed(): Map<string, Write> {
    const newest = new Map<string, Write>()
    for (const writes of [...this.#sent, this.#writes.slice(this.#head)])
      for (const write of writes) if (write.kind === 'put') newest.set(write.key, write)
    return newest
  }

  #batchEnd(): number {
    const limit = Math.min(this.#writes.length, this.#head + this.#maxEntries())
    let end = this.#head
    for (let characters = 0; end < limit && characters < MAX_CHARACTERS; end++) {
      const { key, value } = this.#writes[end]!
      characters += key.length + (value?.length ?? 0)
    }
    return end
  }
}

function batchOf(writes: readonly Write[]): WriteBatch {
  const keys: string[] = []
  const values: (string | null)[] = []
  const expires: (number | null)[] = []
  const kinds = new Map<number, WriteKind>()
  for (let i = 0; i < writes.length; i++) {
    const { kind, key, value, expires: expiresAt } = writes[i]!
    keys.push(key)
    values.push(value)
    expires.push(expiresAt)
    if (kind !== 'put') kinds.set(i, kind)
  }
  return { keys, values, expires, kinds }
}

function settle(caller: Caller, error: Error | undefined): void {
  caller.error ??= error
  if (--caller.unsettled > 0) return
  if (caller.error === undefined) caller.resolve(!caller.isRefused)
  else caller.reject(caller.error)
}
