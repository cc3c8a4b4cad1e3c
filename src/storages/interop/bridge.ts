/**
 * Makes a `StorageBackend` of somebody else's store: safe keys, stamped values, failures as rejections.
 *
 * Invariants: expiry is decided here, by the stamp; the ttl handed down only lets the store tidy up, and is left
 * out where the store could take it wrongly. A batch never holds a key twice. An answer that is an `Error` (some
 * stores resolve with one) is a rejection. States: open, closed. The store is the user's: `close` detaches from
 * it and leaves it open. No timers. May import ports, errors and its own folder.
 */

import { StorageError } from '../../errors.ts'
import type { StorageBackend, StorageEntry } from '../../ports/storage.ts'
import { decodeKey, encodeKey } from './safe-key.ts'
import { readStamped, stamp } from './stamped-value.ts'

/** Somebody else's store, in its own keys and texts; every method may be asynchronous. */
export interface ForeignStore {
  readonly name: string
  /** The longest ttl that may be handed down, in milliseconds; longer ones are the stamp's alone. */
  readonly maxTtl: number
  get(key: string): unknown
  set(key: string, text: string, ttl: number | undefined): unknown
  delete(key: string): unknown
  getMany?(keys: readonly string[]): unknown
  setMany?(entries: readonly StorageEntry[]): unknown
  deleteMany?(keys: readonly string[]): unknown
  /** Every key, also such as are not ours. */
  list?(): PromiseLike<readonly string[]>
  detach?(): void
}

export function bridge(store: ForeignStore): StorageBackend {
  let isClosed = false
  const ask = async <T>(operation: (open: ForeignStore) => T): Promise<Awaited<T>> => {
    if (isClosed) throw new StorageError('STORAGE_UNAVAILABLE', `this storage over ${store.name} is closed`)
    const answer = await operation(store)
    if (answer instanceof Error) {
      throw new StorageError('STORAGE_FAILED', `${store.name}: ${answer.message}`, { cause: answer })
    }
    return answer
  }
  const read = (answer: unknown) => (typeof answer === 'string' ? readStamped(answer, Date.now()) : null)
  const backend: StorageBackend = {
    get: async (key) => read(await ask((open) => open.get(encodeKey(key)))),
    set: async (key, value, ttl) => {
      const [entry] = toForeign([{ key, value, ttl }], store.maxTtl)
      if (entry === undefined) await ask((open) => open.delete(encodeKey(key)))
      else await ask((open) => open.set(entry.key, entry.value, entry.ttl))
    },
    delete: (key) => ask((open) => open.delete(encodeKey(key))),
    close: async () => {
      if (!isClosed) store.detach?.()
      isClosed = true
    },
  }
  if (store.getMany) {
    backend.getMany = async (keys) => {
      if (keys.length === 0) return []
      const answer = await ask((open) => open.getMany?.(keys.map(encodeKey)))
      if (Array.isArray(answer) && answer.length === keys.length) return answer.map(read)
      throw new StorageError('STORAGE_FAILED', `${store.name}: expected ${keys.length} values`)
    }
  }
  if (store.setMany) {
    backend.setMany = async (entries) => {
      const last = new Map(entries.map((entry) => [encodeKey(entry.key), entry]))
      const live = toForeign([...last.values()], store.maxTtl)
      for (const { key } of live) last.delete(key)
      if (live.length > 0) await ask((open) => open.setMany?.(live))
      for (const key of last.keys()) await ask((open) => open.delete(key))
    }
  }
  if (store.deleteMany) {
    backend.deleteMany = async (keys) => {
      if (keys.length > 0) await ask((open) => open.deleteMany?.([...new Set(keys.map(encodeKey))]))
    }
  }
  if (store.list) {
    backend.keys = async function* (prefix) {
      for (const encoded of (await ask((open) => open.list?.())) ?? []) {
        const key = decodeKey(encoded)
        // Read, because it may be expired, or be somebody else's by a name that looks like ours.
        if (key?.startsWith(prefix) && (await backend.get(key)) !== null) yield key
      }
    }
  }
  return backend
}

/** The entries that have not run out already, as the store is to keep them. */
function toForeign(entries: readonly StorageEntry[], maxTtl: number): StorageEntry[] {
  const now = Date.now()
  return entries.flatMap(({ key, value, ttl = Infinity }) => {
    if (!(ttl > 0)) return []
    const stamped = stamp(value, now + ttl)
    const handedDown = ttl <= maxTtl ? Math.ceil(ttl) : undefined
    return [{ key: encodeKey(key), value: stamped, ttl: handedDown }]
  })
}
