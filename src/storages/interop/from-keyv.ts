/**
 * Any Keyv store as a `StorageBackend`: a `Keyv` (5 or 6), or a bare adapter such as those of `@keyv/*`, a `Map`
 * or an LRU cache.
 *
 * Keyv hides failures: it answers `undefined` or `false`, and emits an event. A read that found nothing or a
 * write, while such an event came, is therefore a rejection here. (Another operation's event may be taken for
 * this one's: then the store is in trouble anyway, and a write that is repeated does no harm.)
 */

import { InvalidOptionError, StorageError } from '../../errors.ts'
import type { StorageBackend } from '../../ports/storage.ts'
import { bridge, type ForeignStore } from './bridge.ts'

/** Three thousand years: above it a ttl added to the time is no safe integer for every database. */
const MAX_TTL = 1e14

/** What a `Keyv`, its adapters, a `Map` and most caches have in common. */
export interface KeyvLike {
  get(key: string): unknown
  set(key: string, value: string, ttl?: number): unknown
  delete(key: string): unknown
}

interface Emitter {
  on(event: string, listener: (error: unknown) => void): unknown
  off?(event: string, listener: (error: unknown) => void): unknown
}

/** All that one of them may have beyond it. */
interface FullKeyv extends KeyvLike, Partial<Emitter> {
  getRaw?(key: string): Promise<{ value?: unknown } | undefined>
  getMany?(keys: readonly string[]): unknown
  setMany?(entries: readonly object[]): unknown
  deleteMany?(keys: readonly string[]): unknown
  getManyRaw?(keys: readonly string[]): Promise<readonly ({ value?: unknown } | undefined)[]>
  readonly setRaw?: unknown
  readonly stats?: unknown
  readonly store?: Partial<FullKeyv>
  readonly capabilities?: { readonly expires?: boolean }
}

/**
 * `keyv` stays the user's: closing the storage does not disconnect it. Keys are escaped, so other users of the
 * same store see `sq_3a…`; what they wrote under such a name is a miss.
 *
 * @throws InvalidOptionError (`INVALID_OPTION`) where `keyv` has no `get`, `set` and `delete`.
 */
export function fromKeyv(keyv: KeyvLike): StorageBackend {
  const full = keyv as FullKeyv
  for (const name of ['get', 'set', 'delete'] as const) {
    if (typeof full?.[name] !== 'function') {
      throw new InvalidOptionError(
        `fromKeyv: expected a Keyv or a store of one, got something without ${name}()`,
      )
    }
  }
  const isInstance = full.stats !== undefined && full.store !== undefined
  const failures = watchFailures(full, isInstance)
  return bridge({
    name: isInstance ? 'Keyv' : 'a Keyv store',
    maxTtl: MAX_TTL,
    detach: failures.detach,
    get: (key) => failures.guard(() => readOne(full, isInstance, key), isNone),
    set: (key, text, ttl) => failures.guard(() => full.set(key, text, expiryFor(full, ttl)), isWrite),
    delete: (key) => failures.guard(() => full.delete(key), isDelete),
    ...batches(full, isInstance, failures.guard),
  })
}

/** Whether an answer is a failure, given whether a failure was told meanwhile. */
type Verdict = (answer: unknown, isFailureTold: boolean) => boolean

type Guard = (run: () => unknown, isFailure: Verdict) => Promise<unknown>

function batches(full: FullKeyv, isInstance: boolean, guard: Guard): Partial<ForeignStore> {
  const methods: Partial<ForeignStore> = {}
  // Without the adapter's own batch a Keyv 5 drops the failures of single reads.
  const target = isInstance ? full.store : full
  if (full.getMany && target?.getMany) {
    methods.getMany = (keys) => guard(() => readMany(full, isInstance, keys), hasNone)
  }
  if (full.setMany && target?.setMany) {
    methods.setMany = (entries) =>
      guard(() => {
        const withExpiry = ({ key, value, ttl }: (typeof entries)[number]) =>
          isExpiring(full) ? { key, value, expires: expiryFor(full, ttl) } : { key, value, ttl }
        return full.setMany?.(entries.map(withExpiry))
      }, isWrite)
  }
  if (full.deleteMany && target?.deleteMany) {
    methods.deleteMany = (keys) => guard(() => full.deleteMany?.([...keys]), isDelete)
  }
  return methods
}

/** A Keyv 5 swallows the failures of `get`, not those of `getRaw`. */
async function readOne(full: FullKeyv, isInstance: boolean, key: string): Promise<unknown> {
  if (isInstance && full.getRaw) return (await full.getRaw(key))?.value
  return full.get(key)
}

async function readMany(full: FullKeyv, isInstance: boolean, keys: readonly string[]): Promise<unknown> {
  if (!isInstance || !full.getManyRaw) return full.getMany?.([...keys])
  return (await full.getManyRaw([...keys])).map((row) => row?.value)
}

/** Adapters of Keyv 6 take an instant where those of Keyv 5, and every `Keyv`, take a duration. */
function isExpiring(full: FullKeyv): boolean {
  return full.capabilities?.expires === true
}

function expiryFor(full: FullKeyv, ttl: number | undefined): number | undefined {
  return ttl !== undefined && isExpiring(full) ? Date.now() + ttl : ttl
}

const isMissing = (answer: unknown) => answer === undefined || answer === null
const isNone: Verdict = (answer, isFailureTold) => isFailureTold && isMissing(answer)
const hasNone: Verdict = (answer, isFailureTold) =>
  isFailureTold && (!Array.isArray(answer) || answer.some(isMissing))
const isWrite: Verdict = (answer, isFailureTold) =>
  isFailureTold || answer === false || (Array.isArray(answer) && answer.includes(false))
/** `false` means only that there was nothing to delete. */
const isDelete: Verdict = (_, isFailureTold) => isFailureTold

function watchFailures(full: FullKeyv, isInstance: boolean): { guard: Guard; detach(): void } {
  let count = 0
  let last: unknown
  const listener = (error: unknown) => {
    count += 1
    last = error
  }
  const sources: [Partial<Emitter> | undefined, string][] = [[full, 'error']]
  // A Keyv 6 throws the errors that nobody listens to: listening to them would hide them from its owner.
  if (isInstance && full.setRaw !== undefined)
    sources.splice(0, 1, [full, 'stat:error'], [full.store, 'error'])
  for (const [emitter, event] of sources) emitter?.on?.(event, listener)
  return {
    guard: async (run, isFailure) => {
      const before = count
      const answer = await run()
      if (!isFailure(answer, count !== before)) return answer
      if (count === before) throw failure('it answered false')
      // The event of a Keyv 6 names no cause.
      throw failure(last instanceof Error ? last.message : 'it reported an error', last)
    },
    detach: () => {
      for (const [emitter, event] of sources) emitter?.off?.(event, listener)
    },
  }
}

function failure(reason: string, cause?: unknown): StorageError {
  return new StorageError('STORAGE_FAILED', `Keyv: ${reason}`, { cause })
}
