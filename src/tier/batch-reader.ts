/**
 * Reads of one tick, gathered: each key is asked for once, with `getMany` where the backend has it.
 *
 * A batch is `gathering` from the first `load` of a tick until the microtask that sends it. Never rejects: a key
 * that could not be read has no answer, which is something else than "nothing there".
 */

import type { Outcome, StorageGuard } from './storage-guard.ts'

/** By key: the value, `null` where there is none; a key that could not be read is missing. */
export type Answers = ReadonlyMap<string, string | null>

const LARGEST_BATCH = 1_000

/** Whoever asks for keys: told once, later, at the (monotonic) moment `at`. */
export interface Asker {
  answered(answers: Answers, at: number): void
}

interface Batch {
  readonly keys: string[]
  /** Without answers yet. */
  readonly answers: Map<string, string | null>
  readonly askers: Asker[]
}

export class BatchReader {
  readonly #guard: StorageGuard
  readonly #now: () => number
  #gathering: Batch | null = null

  /** `now`: milliseconds that never step back. */
  constructor(guard: StorageGuard, now: () => number) {
    this.#guard = guard
    this.#now = now
  }

  load(keys: readonly string[]): Promise<Answers> {
    return new Promise((resolve) => this.ask(keys, { answered: resolve }))
  }

  /** `load` without a promise. */
  ask(keys: readonly string[], asker: Asker): void {
    const batch = this.#gathering ?? this.#begin()
    const { answers } = batch
    for (const key of keys) {
      answers.set(key, null)
      if (answers.size > batch.keys.length) batch.keys.push(key)
    }
    batch.askers.push(asker)
  }

  #begin(): Batch {
    const batch: Batch = { keys: [], answers: new Map(), askers: [] }
    queueMicrotask(() => {
      this.#gathering = null
      this.#send(batch)
    })
    this.#gathering = batch
    return batch
  }

  #send({ keys, answers, askers }: Batch): void {
    const { backend } = this.#guard
    const batchSize = backend.getMany === undefined ? 1 : LARGEST_BATCH
    let left = Math.ceil(keys.length / batchSize)
    const end = (): void => {
      const at = this.#now()
      for (const asker of askers) asker.answered(answers, at)
    }
    if (left === 0) end()
    for (let i = 0; i < keys.length; i += batchSize) {
      const part = keys.length <= batchSize ? keys : keys.slice(i, i + batchSize)
      void this.#read(part).then((outcome) => {
        for (let k = 0; k < part.length; k++) {
          const key = part[k] as string
          if (!outcome.isOk) answers.delete(key)
          else answers.set(key, textOf(outcome.value[k]))
        }
        if (--left === 0) end()
      })
    }
  }

  #read(keys: readonly string[]): Promise<Outcome<readonly unknown[]>> {
    const { backend } = this.#guard
    if (backend.getMany === undefined)
      return this.#guard.run('get', async () => [await backend.get(keys[0] as string)])
    return this.#guard.run('get', () => {
      const values: unknown = backend.getMany?.(keys)
      return isPromiseLike(values) ? values.then((each) => checked(each, keys)) : checked(values, keys)
    })
  }
}

function checked(values: unknown, keys: readonly string[]): readonly unknown[] {
  if (Array.isArray(values) && values.length === keys.length) return values
  throw new TypeError(
    `getMany answered with ${Array.isArray(values) ? values.length : typeof values} values; expected ${keys.length}.`,
  )
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
}

/** What is no string was not written by us: it decodes as foreign. */
function textOf(value: unknown): string | null {
  if (value === null || value === undefined) return null
  return typeof value === 'string' ? value : ''
}
