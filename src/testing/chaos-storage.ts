/**
 * A backend that fails in every way a real one can, when told to.
 *
 * Invariants: has exactly the capabilities of the backend it wraps; with no fault switched on it answers what
 * that one answers. Faults, counters and timers are the engine's. `close` closes the wrapped backend, and
 * faults apply to it too. May import ports, errors and its own folder.
 */

import { InvalidOptionError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { Awaitable, LeaseProvider, StorageBackend } from '../ports/storage.ts'
import { ChaosEngine } from './chaos-engine.ts'
import type { Fault, FaultScope, StorageOperation } from './chaos-fault.ts'
import { chaosFeed } from './chaos-feed.ts'

export interface ChaosStorageOptions {
  /** Where delays wait, such as a `VirtualClock`. @default the system's clock */
  readonly clock?: Pick<Clock, 'setTimeout'> | undefined
  /** What all randomness follows from: any integer. @default 1 */
  readonly seed?: number | undefined
}

export interface HealOptions {
  /**
   * What becomes of the calls that hang: they keep hanging, go on and answer (late, as through a network that
   * came back), or reject. @default 'keep'
   */
  readonly hanging?: 'keep' | 'answer' | 'reject' | undefined
}

export class ChaosStorage implements StorageBackend {
  declare readonly getMany?: NonNullable<StorageBackend['getMany']>
  declare readonly setMany?: NonNullable<StorageBackend['setMany']>
  declare readonly deleteMany?: NonNullable<StorageBackend['deleteMany']>
  declare readonly add?: NonNullable<StorageBackend['add']>
  declare readonly snapshot?: NonNullable<StorageBackend['snapshot']>
  declare readonly keys?: NonNullable<StorageBackend['keys']>
  declare readonly feed?: NonNullable<StorageBackend['feed']>
  declare readonly lease?: NonNullable<StorageBackend['lease']>
  declare readonly close?: NonNullable<StorageBackend['close']>
  readonly #backend: StorageBackend
  readonly #engine: ChaosEngine

  /** @throws InvalidOptionError (`INVALID_OPTION`) where `seed` is no integer. */
  constructor(backend: StorageBackend, options: ChaosStorageOptions = {}) {
    const { clock = systemTimers, seed = 1 } = options
    if (!Number.isInteger(seed))
      throw new InvalidOptionError(`seed: expected an integer, got ${String(seed)}`)
    this.#backend = backend
    this.#engine = new ChaosEngine(clock, seed)
    this.#exposeCapabilities()
  }

  /** Switches a fault on. Returns the function that switches just this one off. */
  fault(fault: Fault, scope: FaultScope = {}): () => void {
    return this.#engine.add(fault, scope)
  }

  /** Switches all faults off. */
  heal(options: HealOptions = {}): void {
    const { hanging = 'keep' } = options
    this.#engine.heal()
    if (hanging !== 'keep') this.#engine.release(hanging)
  }

  /** Calls so far, of each operation. Deliveries count once for each batch and follower. */
  get calls(): Readonly<Record<StorageOperation, number>> {
    return this.#engine.calls
  }

  /** Calls that hang now, held-back deliveries included. */
  get hanging(): number {
    return this.#engine.hanging.size
  }

  /** Calls that were begun and have not answered, the hanging ones included. */
  get inFlight(): number {
    return this.#engine.inFlight
  }

  /** The most calls that were ever in flight at one time. */
  get mostInFlight(): number {
    return this.#engine.mostInFlight
  }

  get(key: string): Awaitable<string | null | undefined> {
    return this.#engine.call({
      operation: 'get',
      keys: [key],
      run: () => this.#backend.get(key),
      answers: 'one',
      lose: this.#lose('before', [key]),
    })
  }

  set(key: string, value: string, ttl?: number): Awaitable<unknown> {
    return this.#engine.call({
      operation: 'set',
      keys: [key],
      run: () => (ttl === undefined ? this.#backend.set(key, value) : this.#backend.set(key, value, ttl)),
      lose: this.#lose('after', [key]),
    })
  }

  delete(key: string): Awaitable<unknown> {
    return this.#engine.call({ operation: 'delete', keys: [key], run: () => this.#backend.delete(key) })
  }

  #exposeCapabilities(): void {
    const self = this as { -readonly [Name in keyof ChaosStorage]: ChaosStorage[Name] }
    const backend = this.#backend
    const engine = this.#engine
    if (backend.getMany) {
      self.getMany = (keys) =>
        engine.call({
          operation: 'getMany',
          keys,
          run: () => backend.getMany!(keys),
          answers: 'many',
          lose: this.#lose('before', keys),
        })
    }
    if (backend.setMany) {
      self.setMany = (entries) => {
        const keys = entries.map((entry) => entry.key)
        return engine.call({
          operation: 'setMany',
          keys,
          run: () => backend.setMany!(entries),
          runPart: () => backend.setMany!(partOf(entries, engine.random)),
          lose: this.#lose('after', keys),
        })
      }
    }
    if (backend.deleteMany) {
      self.deleteMany = (keys) =>
        engine.call({
          operation: 'deleteMany',
          keys,
          run: () => backend.deleteMany!(keys),
          runPart: () => backend.deleteMany!(partOf(keys, engine.random)),
        })
    }
    if (backend.add) {
      self.add = (key, value, ttl) =>
        engine.call({
          operation: 'add',
          keys: [key],
          run: () => backend.add!(key, value, ttl),
          lose: this.#lose('after', [key]),
        })
    }
    if (backend.snapshot) {
      const { snapshot } = backend
      // A store with a fault is asked, so that the fault takes effect.
      self.snapshot = {
        hold: () => (engine.isCalm ? snapshot.hold() : undefined),
        get: (key) => snapshot.get(key),
      }
    }
    if (backend.keys) self.keys = (prefix) => this.#listKeys(prefix)
    if (backend.feed) self.feed = chaosFeed(backend.feed, engine)
    if (backend.lease) self.lease = chaosLease(backend.lease, engine)
    if (backend.close) {
      self.close = () => engine.call({ operation: 'close', keys: [], run: () => backend.close!() })
    }
  }

  async *#listKeys(prefix: string): AsyncGenerator<string, void> {
    yield* await this.#engine.call({
      operation: 'keys',
      keys: [prefix],
      run: async () => {
        const listed: string[] = []
        for await (const key of this.#backend.keys!(prefix)) listed.push(key)
        return listed
      },
      answers: 'many',
    })
  }

  #lose(when: 'before' | 'after', keys: readonly string[]) {
    return { when, run: () => Promise.all(keys.map((key) => this.#backend.delete(key))) }
  }
}

function chaosLease(lease: LeaseProvider, engine: ChaosEngine): LeaseProvider {
  const renew: LeaseProvider['renew'] = (key, token, ttl) =>
    engine.call({ operation: 'renew', keys: [key], run: () => lease.renew!(key, token, ttl) })
  return {
    ...(lease.renew && { renew }),
    acquire: (key, ttl) =>
      engine.call({ operation: 'acquire', keys: [key], run: () => lease.acquire(key, ttl), answers: 'one' }),
    release: (key, token) =>
      engine.call({ operation: 'release', keys: [key], run: () => lease.release(key, token) }),
  }
}

/** At least one short of all. */
function partOf<T>(all: readonly T[], random: () => number): T[] {
  const spared = Math.floor(random() * all.length)
  return all.filter((_, index) => index !== spared && random() < 0.5)
}

const systemTimers: Pick<Clock, 'setTimeout'> = {
  setTimeout: (callback, delay) => globalThis.setTimeout(callback, delay),
}
