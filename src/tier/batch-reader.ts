/**
 * Reads of one tick, gathered into one `getMany` where the backend has it. What many ask for is asked for once.
 *
 * A batch is `gathering` from the first `load` of a tick until the microtask that sends it. Never rejects: a key
 * that could not be read has no answer, which is something else than "nothing there".
 */

import type { Outcome, StorageGuard } from './storage-guard.ts'

/** By key: the value, `null` where there is none; a key that could not be read is missing. */
export type Answers = ReadonlyMap<string, string | null>

const LARGEST_BATCH = 1_000

/** Whoever asks for keys: told once, later. */
export interface Asker {
  /**
   * `own`: the value of the key that it alone has asked for, `null` where there is none, `undefined` where it could not be
   * read or there was no such key. `at`: the monotonic moment.
   */
  answered(own: string | null | undefined, answers: Answers, at: number): void
}

interface Batch {
  readonly keys: string[]
  /** Where those stand that several may ask for. */
  readonly shared: Map<string, number>
  readonly askers: Asker[]
  /** Where the key of each of them stands; -1 = it has none of its own. */
  readonly places: number[]
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
    return new Promise((resolve) => this.ask(null, keys, { answered: (_, answers) => resolve(answers) }))
  }

  /** `own`: a key that nobody else asks for just now, or it is read twice. */
  ask(own: string | null, keys: readonly string[], asker: Asker): void {
    const batch = this.#gathering ?? this.#begin()
    batch.askers.push(asker)
    batch.places.push(own === null ? -1 : batch.keys.push(own) - 1)
    for (const key of keys) if (!batch.shared.has(key)) batch.shared.set(key, batch.keys.push(key) - 1)
  }

  #begin(): Batch {
    const batch: Batch = { keys: [], shared: new Map(), askers: [], places: [] }
    queueMicrotask(() => {
      this.#gathering = null
      this.#send(batch)
    })
    this.#gathering = batch
    return batch
  }

  #send(batch: Batch): void {
    const { keys } = batch
    const batchSize = this.#guard.backend.getMany === undefined ? 1 : LARGEST_BATCH
    let left = Math.ceil(keys.length / batchSize)
    const values = new Array<string | null | undefined>(keys.length)
    if (left === 0) this.#end(batch, values)
    for (let i = 0; i < keys.length; i += batchSize) {
      const part = keys.length <= batchSize ? keys : keys.slice(i, i + batchSize)
      void this.#read(part).then((outcome) => {
        if (outcome.isOk) for (let k = 0; k < part.length; k++) values[i + k] = textOf(outcome.value[k])
        if (--left === 0) this.#end(batch, values)
      })
    }
  }

  #end({ shared, askers, places }: Batch, values: readonly (string | null | undefined)[]): void {
    const answers = new Map<string, string | null>()
    for (const [key, place] of shared) {
      const value = values[place]
      if (value !== undefined) answers.set(key, value)
    }
    const at = this.#now()
    for (let i = 0; i < askers.length; i++) {
      const place = places[i] as number
      askers[i]?.answered(place === -1 ? undefined : values[place], answers, at)
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
