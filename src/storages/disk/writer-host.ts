/**
 * The writing thread as its storage sees it.
 *
 * States: starting -> open -> closed; `onLost` once, at the end of a thread that was not asked to end.
 * Every request is answered: those under way when the thread ends are rejected. The thread keeps the process
 * alive only while a request, an opening that somebody awaits, or the closing is under way. Requests of one turn go across as one
 * message. Owns the thread. May import siblings, errors and ports.
 */

import { Worker } from 'node:worker_threads'
import { StorageError } from '../../errors.ts'
import type { Logger } from '../../ports/logger.ts'
import { createGateWord, guardExit, releaseExit } from '../../resilience/transaction-gate.ts'
import { holdOpeningMutexForGood } from './opening-mutex.ts'
import type { FromWriter, Operation, ToWriter, WriteRequest, WriterSettings } from './protocol.ts'
import { unpackError } from './protocol.ts'

interface Waiter {
  readonly resolve: (isDone: boolean) => void
  readonly reject: (error: Error) => void
}

export interface WriterLoss {
  readonly error: StorageError
  /** The data file to set aside when opening again. */
  readonly condemned: string | undefined
}

export class WriterHost {
  /** Resolves when the directory is open for writing, with the name of its data file. */
  readonly opened: Promise<string>
  readonly #worker: Worker
  readonly #logger: Logger | undefined
  readonly #onLost: (loss: WriterLoss) => void
  readonly #waiters = new Map<number, Waiter>()
  readonly #gate = createGateWord()
  #outbox: WriteRequest[] = []
  #lastId = 0
  #opening: { resolve: (identity: string) => void; reject: (error: Error) => void } | undefined
  #end: WriterLoss | undefined
  #isClosing = false
  #isAwaited = false

  constructor(
    settings: Omit<WriterSettings, 'gate'>,
    logger: Logger | undefined,
    onLost: (loss: WriterLoss) => void,
  ) {
    this.#logger = logger
    this.#onLost = onLost
    // The sources run as they are where the runtime takes TypeScript.
    const isSource = import.meta.url.endsWith('.ts')
    this.#worker = new Worker(new URL(`./writer-thread.${isSource ? 'ts' : 'js'}`, import.meta.url), {
      workerData: { ...settings, gate: this.#gate } satisfies WriterSettings,
      name: 'stackquery-disk',
      ...(!isSource && { execArgv: [] }),
    })
    this.opened = new Promise((resolve, reject) => {
      this.#opening = { resolve, reject }
    })
    // Where nobody waits for it yet, the first operation meets the failure.
    this.opened.catch(() => {})
    guardExit(this.#gate, () => holdOpeningMutexForGood(settings.directory))
    this.#worker.on('message', (message: FromWriter) => this.#receive(message))
    this.#worker.on('error', (cause) => {
      this.#finish('STORAGE_FAILED', 'the writing thread of DiskCacheStorage failed', cause)
    })
    this.#worker.on('exit', () => {
      releaseExit(this.#gate)
      this.#finish('STORAGE_UNAVAILABLE', 'the writing thread of DiskCacheStorage ended', undefined)
    })
    // Last: a listener to its messages holds the process again.
    this.#hold()
  }

  /** Somebody waits for the opening: the process must not end meanwhile. */
  await(): void {
    this.#isAwaited = true
    this.#hold()
  }

  /** Resolves when the operations are visible to every process; to `false` where one was refused. */
  write(operations: readonly Operation[]): Promise<boolean> {
    if (this.#end) return Promise.reject(this.#end.error)
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId
      this.#waiters.set(id, { resolve, reject })
      this.#hold()
      if (this.#outbox.push({ id, operations }) === 1) queueMicrotask(() => this.#send())
    })
  }

  /** Writes what is under way, then ends the thread. */
  async close(): Promise<void> {
    if (this.#end) return
    this.#isClosing = true
    this.#send()
    this.#hold()
    const ended = new Promise((resolve) => this.#worker.once('exit', resolve))
    this.#worker.postMessage({ kind: 'close' } satisfies ToWriter)
    await ended
  }

  #send(): void {
    if (this.#outbox.length === 0) return
    const requests = this.#outbox
    this.#outbox = []
    this.#worker.postMessage({ kind: 'write', requests } satisfies ToWriter)
  }

  #receive(message: FromWriter): void {
    if (message.kind === 'opened') {
      this.#opening?.resolve(message.identity)
      this.#opening = undefined
      this.#hold()
    } else if (message.kind === 'written') {
      for (const id of message.refused) this.#take(id)?.resolve(false)
      for (const id of message.ids) this.#take(id)?.resolve(true)
      this.#hold()
    } else if (message.kind === 'failed') {
      const error = unpackError(message.error)
      for (const id of message.ids) this.#take(id)?.reject(error)
      this.#hold()
    } else if (message.kind === 'warning') {
      this.#warn(message.message)
    } else if (message.kind === 'refused') {
      this.#finish(message.error.code, message.error.message, message.error.cause)
    } else if (message.kind === 'lost') {
      const text = `the data file of the disk cache is lost: ${message.reason}`
      this.#finish('STORAGE_UNAVAILABLE', text, undefined, message.condemned)
    }
  }

  #take(id: number): Waiter | undefined {
    const waiter = this.#waiters.get(id)
    this.#waiters.delete(id)
    return waiter
  }

  #hold(): void {
    if (this.#waiters.size > 0 || (this.#opening && this.#isAwaited) || this.#isClosing) this.#worker.ref()
    else this.#worker.unref()
  }

  #finish(
    code: 'STORAGE_FAILED' | 'STORAGE_UNAVAILABLE',
    text: string,
    cause: unknown,
    condemned?: string,
  ): void {
    if (this.#end) return
    const error = new StorageError(code, text, { cause })
    this.#end = { error, condemned }
    this.#opening?.reject(error)
    this.#opening = undefined
    for (const { reject } of this.#waiters.values()) reject(error)
    this.#waiters.clear()
    if (this.#isClosing) return
    // Asked, never terminated: in the middle of a transaction that would leave its lock and memory behind.
    this.#worker.postMessage({ kind: 'close' } satisfies ToWriter)
    this.#worker.unref()
    this.#onLost(this.#end)
  }

  #warn(message: string): void {
    try {
      this.#logger?.warn(message)
    } catch {
      // A logger that throws must not cost the cache.
    }
  }
}
