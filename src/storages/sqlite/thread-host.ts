/**
 * A `WriteEngine` in a thread of its own, seen from the calling thread.
 *
 * States: idle -> running (`start` or first call) -> idle (the thread died: its calls reject, the next call starts
 * another) ... -> ended (`close`).
 * The thread never keeps the process alive, except while a call is awaited. Owns the thread; `close` ends
 * it. May import siblings, errors and resilience.
 */

import { Worker } from 'node:worker_threads'
import { StorageError } from '../../errors.ts'
import { createGateWord, guardExit, releaseExit } from '../../resilience/transaction-gate.ts'
import type { WriteBatch } from './committer.ts'
import {
  restoreError,
  type ThreadAnswer,
  type ThreadCall,
  type ThreadData,
  type ThreadRequest,
  unpackCommit,
} from './thread-message.ts'
import type { CommitReport, OpenReport, WriteEngine } from './write-engine.ts'

/** The side of a `WriteEngine` that its users need, wherever it runs. */
export interface WriteHost extends Pick<WriteEngine, 'commit' | 'close'> {
  /** Where nobody awaits it, the process may end meanwhile. */
  open(isSuspect: boolean, isAwaited?: boolean): Promise<OpenReport>
}

/** No thread can be started here at all: nothing of the call was done. */
export class ThreadUnavailableError extends Error {}

interface PendingCall {
  readonly isAwaited: boolean
  readonly resolve: (answer: ThreadAnswer) => void
  readonly reject: (error: Error) => void
}

export class ThreadHost implements WriteHost {
  readonly #data: Omit<ThreadData, 'gate'>
  readonly #gate = createGateWord()
  readonly #calls = new Map<number, PendingCall>()
  #worker: Worker | undefined
  #awaited = 0
  #hasAnswered = false
  #lastId = 0

  constructor(data: Omit<ThreadData, 'gate'>) {
    this.#data = data
  }

  /** Before it is needed. Where that fails, the first call says so. */
  start(): void {
    try {
      this.#worker ??= this.#start()
    } catch {
      // Tried again by the first call.
    }
  }

  async open(isSuspect: boolean, isAwaited = true): Promise<OpenReport> {
    return (await this.#ask({ call: 'open', isSuspect }, isAwaited)).report!
  }

  async commit(batch: WriteBatch): Promise<CommitReport> {
    return unpackCommit(await this.#ask({ call: 'commit', batch }))
  }

  async close(): Promise<void> {
    if (this.#worker === undefined) return
    await this.#ask({ call: 'close' })
    const worker = this.#worker
    this.#worker = undefined
    await worker?.terminate()
  }

  #ask(call: ThreadCall, isAwaited = true): Promise<ThreadAnswer> {
    return new Promise((resolve, reject) => {
      this.#worker ??= this.#start()
      const id = ++this.#lastId
      this.#calls.set(id, { isAwaited, resolve, reject })
      if (isAwaited && this.#awaited++ === 0) this.#worker.ref()
      this.#worker.postMessage({ ...call, id } satisfies ThreadRequest)
    })
  }

  #start(): Worker {
    let worker: Worker
    try {
      // In this form, with the name of the built file, bundlers find the thread and bring it along.
      worker = new Worker(new URL('./write-thread.js', import.meta.url), {
        workerData: { ...this.#data, gate: this.#gate } satisfies ThreadData,
        name: 'stackquery-sqlite',
        execArgv: [],
      })
    } catch (cause) {
      throw new ThreadUnavailableError('no thread could be started', { cause })
    }
    guardExit(this.#gate)
    let reason: unknown
    worker.on('message', (answer: ThreadAnswer) => this.#settle(answer))
    worker.on('error', (error) => {
      reason = error
    })
    worker.on('exit', () => {
      releaseExit(this.#gate)
      this.#ended(worker, reason)
    })
    // Last: a listener to its messages holds the process again.
    worker.unref()
    return worker
  }

  #settle(answer: ThreadAnswer): void {
    this.#hasAnswered = true
    const call = this.#calls.get(answer.id)
    this.#calls.delete(answer.id)
    if (call?.isAwaited && --this.#awaited === 0) this.#worker?.unref()
    if (answer.error === undefined) call?.resolve(answer)
    else call?.reject(restoreError(answer.error))
  }

  #ended(worker: Worker, cause: unknown): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    const calls = [...this.#calls.values()]
    this.#calls.clear()
    this.#awaited = 0
    // A thread that never answered could not be loaded: its file is missing in a bundle, for one.
    const error = this.#hasAnswered
      ? new StorageError('STORAGE_FAILED', 'the writing thread of SQLiteStorage ended', { cause })
      : new ThreadUnavailableError('the thread could not be loaded', { cause })
    for (const call of calls) call.reject(error)
  }
}
