/**
 * Reads of one tick, gathered: each key is asked for once, with `getMany` where the backend has it.
 *
 * A batch is `gathering` from the first `load` of a tick until the microtask that sends it. Never rejects: a key
 * that could not be read has no answer, which is something else than "nothing there".
 */

import type { StorageGuard } from './storage-guard.ts'

/** By key: the value, `null` where there is none; a key that could not be read is missing. */
export type Answers = ReadonlyMap<string, string | null>

const LARGEST_BATCH = 1_000

export class BatchReader {
  readonly #guard: StorageGuard
  #gathering: { readonly keys: Set<string>; readonly answers: Promise<Answers> } | null = null

  constructor(guard: StorageGuard) {
    this.#guard = guard
  }

  load(keys: readonly string[]): Promise<Answers> {
    const batch = this.#gathering ?? this.#begin()
    for (const key of keys) batch.keys.add(key)
    return batch.answers
  }

  #begin(): { readonly keys: Set<string>; readonly answers: Promise<Answers> } {
    const keys = new Set<string>()
    const answers = Promise.resolve().then(() => {
      this.#gathering = null
      return this.#send([...keys])
    })
    this.#gathering = { keys, answers }
    return this.#gathering
  }

  async #send(keys: string[]): Promise<Answers> {
    const answers = new Map<string, string | null>()
    const { backend } = this.#guard
    if (backend.getMany === undefined) {
      await Promise.all(keys.map((key) => this.#readOne(key, answers)))
      return answers
    }
    if (keys.length <= LARGEST_BATCH) {
      await this.#readMany(keys, answers)
      return answers
    }
    const batches: Promise<void>[] = []
    for (let i = 0; i < keys.length; i += LARGEST_BATCH) {
      batches.push(this.#readMany(keys.slice(i, i + LARGEST_BATCH), answers))
    }
    await Promise.all(batches)
    return answers
  }

  async #readOne(key: string, answers: Map<string, string | null>): Promise<void> {
    const outcome = await this.#guard.run('get', () => this.#guard.backend.get(key))
    if (outcome.isOk) answers.set(key, textOf(outcome.value))
  }

  async #readMany(keys: string[], answers: Map<string, string | null>): Promise<void> {
    const outcome = await this.#guard.run('get', async () => {
      const values: unknown = await this.#guard.backend.getMany?.(keys)
      if (!Array.isArray(values) || values.length !== keys.length) {
        throw new TypeError(
          `getMany answered with ${Array.isArray(values) ? values.length : typeof values} values; expected ${keys.length}.`,
        )
      }
      return values as unknown[]
    })
    if (!outcome.isOk) return
    for (let i = 0; i < keys.length; i++) answers.set(keys[i] as string, textOf(outcome.value[i]))
  }
}

/** What is no string was not written by us: it decodes as foreign. */
function textOf(value: unknown): string | null {
  if (value === null || value === undefined) return null
  return typeof value === 'string' ? value : ''
}
