/**
 * Reads of one tick, gathered into one `getMany` where the backend has it. What many ask for is asked for once.
 *
 * A batch is `gathering` from the first `load` of a tick until the microtask that sends it. Never rejects: a key
 * that could not be read has no answer, which is something else than "nothing there".
 */

import type { Clock } from '../ports/clock.ts'
import type { Awaitable, StorageBackend } from '../ports/storage.ts'
import { soon } from '../resilience/soon.ts'
import type { GuardedTask, Outcome } from './backend-calls.ts'
import { SharedKeys } from './shared-keys.ts'
import type { StorageGuard } from './storage-guard.ts'

/** By key: the value, `null` where there is none; a key that could not be read is missing. */
export type Answers = Pick<ReadonlyMap<string, string | null>, 'get' | 'has'>

const LARGEST_BATCH = 1_000
/** In place of a value that could not be read. */
const UNREAD = Symbol('unread')

/** What a batch asks for, while it is put together. */
export interface Request {
  /** `own`: a key that nobody else asks for just now, or it is read twice; `null` = none. */
  add(own: string | null, keys: readonly string[]): void
}

/** Whoever asks for keys: asked which when the batch is sent, and told once, later. */
export interface Asker {
  /** Adds what it wants, in one go. */
  askFor(request: Request): void
  /**
   * `own`: the value of the key that it alone has asked for, `null` where there is none, `undefined` where it could not be
   * read or there was no such key. `at`: the monotonic moment, `now` the same by the clock on the wall.
   */
  answered(own: string | null | undefined, answers: Answers, at: number, now: number): void
}

export class BatchReader {
  readonly #guard: StorageGuard
  readonly #clock: Clock
  #gathering: Batch | null = null

  constructor(guard: StorageGuard, clock: Clock) {
    this.#guard = guard
    this.#clock = clock
  }

  load(keys: readonly string[]): Promise<Answers> {
    return new Promise((resolve) =>
      this.ask({
        askFor: (request) => request.add(null, keys),
        answered: (_, answers) => resolve(answers),
      }),
    )
  }

  ask(asker: Asker): void {
    if (this.#gathering === null) {
      this.#gathering = new Batch(asker, this.#clock)
      soon(this.#send)
    } else {
      this.#gathering.join(asker)
    }
  }

  #send = (): void => {
    const batch = this.#gathering
    this.#gathering = null
    batch?.send(this.#guard)
  }
}

class Batch implements Answers, Request, GuardedTask<readonly unknown[]> {
  readonly #shared = new SharedKeys()
  readonly #askers: Asker[]
  /** Where the key of each of them stands; -1 = it has none of its own. */
  readonly #places: number[] = []
  readonly #clock: Clock
  /** Asked for last: many ask for the same. */
  #lastShared: readonly string[] | null = null
  #backend: StorageBackend | null = null
  /** Their own, then those that are shared. */
  readonly #keys: string[] = []
  #ownCount = 0
  /** In the order of the keys; `null` = none could be read. */
  #values: readonly unknown[] | null = null

  constructor(asker: Asker, clock: Clock) {
    this.#askers = [asker]
    this.#clock = clock
  }

  join(asker: Asker): void {
    this.#askers.push(asker)
  }

  add(own: string | null, keys: readonly string[]): void {
    this.#places.push(own === null ? -1 : this.#ownCount++)
    if (own !== null) this.#keys.push(own)
    if (keys === this.#lastShared) return
    for (const key of keys) this.#shared.add(key)
    this.#lastShared = keys
  }

  send(guard: StorageGuard): void {
    const keys = this.#keys
    for (const asker of this.#askers) asker.askFor(this)
    for (const key of this.#shared.all) keys.push(key)
    const size = guard.backend.getMany === undefined ? 1 : LARGEST_BATCH
    this.#backend = guard.backend
    if (keys.length === 0) this.#end()
    else if (keys.length <= size) guard.start('get', this)
    else this.#sendParts(guard, size)
  }

  call(): Awaitable<readonly unknown[]> {
    return read(this.#backend as StorageBackend, this.#keys)
  }

  check(values: readonly unknown[]): void {
    assertOneEach(values, this.#keys)
  }

  done(outcome: Outcome<readonly unknown[]>, at?: number): void {
    this.#values = outcome.isOk ? outcome.value : null
    this.#end(at)
  }

  get(key: string): string | null | undefined {
    const place = this.#shared.placeOf(key)
    return place === -1 ? undefined : this.#valueAt(this.#ownCount + place)
  }

  has(key: string): boolean {
    return this.get(key) !== undefined
  }

  #valueAt(place: number): string | null | undefined {
    const value = this.#values === null ? UNREAD : this.#values[place]
    return value === UNREAD ? undefined : textOf(value)
  }

  #sendParts(guard: StorageGuard, size: number): void {
    const all: unknown[] = new Array(this.#keys.length).fill(UNREAD)
    let left = Math.ceil(all.length / size)
    this.#values = all
    for (let from = 0; from < all.length; from += size) {
      const keys = this.#keys.slice(from, from + size)
      guard.start('get', {
        call: () => read(guard.backend, keys),
        check: (values) => assertOneEach(values, keys),
        done: (outcome, at) => {
          if (outcome.isOk) for (let i = 0; i < keys.length; i++) all[from + i] = outcome.value[i]
          if (--left === 0) this.#end(at)
        },
      })
    }
  }

  #end(moment?: number): void {
    const now = this.#clock.now()
    const at = moment ?? this.#clock.monotonic?.() ?? now
    const askers = this.#askers
    for (let i = 0; i < askers.length; i++) {
      const place = this.#places[i] as number
      askers[i]?.answered(place === -1 ? undefined : this.#valueAt(place), this, at, now)
    }
    // A store that hangs may hold this batch for ever, and V8 the list for long; neither must hold those who have been told.
    askers.length = 0
  }
}

/** One key alone, where the backend cannot read several. */
function read(backend: StorageBackend, keys: readonly string[]): Awaitable<readonly unknown[]> {
  return backend.getMany === undefined ? readOne(backend, keys[0] as string) : backend.getMany(keys)
}

async function readOne(backend: StorageBackend, key: string): Promise<readonly unknown[]> {
  return [await backend.get(key)]
}

function assertOneEach(values: unknown, keys: readonly string[]): void {
  if (Array.isArray(values) && values.length === keys.length) return
  throw new TypeError(
    `getMany answered with ${Array.isArray(values) ? values.length : typeof values} values; expected ${keys.length}.`,
  )
}

/** What is no string was not written by us: it decodes as foreign. */
function textOf(value: unknown): string | null {
  if (value === null || value === undefined) return null
  return typeof value === 'string' ? value : ''
}
