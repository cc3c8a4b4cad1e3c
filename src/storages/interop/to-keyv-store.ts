/**
 * A `StorageBackend` as the store of a `Keyv` 5 or 6.
 *
 * Invariants: its keys are those that Keyv gives it, below `keyv:`, so that clearing a Keyv touches nothing else
 * in the backend. Namespaces are Keyv's own work: version 5 prefixes keys with `namespace:` and tells the store
 * its namespace for `clear`; version 6 prefixes with `namespace::` through its bridge, since this store says
 * nothing of a namespace, and clears by `iterator`. Failures reject, which Keyv turns into its `error` event.
 * May import ports, errors and its own folder.
 */

import { InvalidOptionError } from '../../errors.ts'
import type { StorageBackend } from '../../ports/storage.ts'
import { keysBelow, readAll } from './below.ts'

const BASE = 'keyv:'

export interface KeyvStore {
  /** Keyv 5 iterates only over adapters whose dialect it knows: this says no more than that. */
  readonly opts: { readonly dialect: string; readonly url: string }
  /** Set by Keyv 5. */
  namespace?: string | undefined
  get(key: string): Promise<string | undefined>
  set(key: string, value: string, ttl?: number): Promise<boolean>
  /** `true` where there was something to delete. */
  delete(key: string): Promise<boolean>
  has(key: string): Promise<boolean>
  getMany(keys: readonly string[]): Promise<(string | undefined)[]>
  setMany(entries: readonly { key: string; value: string; ttl?: number | undefined }[]): Promise<boolean[]>
  /** `true` where there was something to delete for every key. */
  deleteMany(keys: readonly string[]): Promise<boolean>
  hasMany(keys: readonly string[]): Promise<boolean[]>
  /** @throws InvalidOptionError (`INVALID_OPTION`) where the backend cannot list its keys. */
  clear(): Promise<void>
  iterator(namespace?: string): AsyncGenerator<[key: string, value: string], void>
  /** Closes the backend. */
  disconnect(): Promise<void>
}

/** For `new Keyv({ store: toKeyvStore(backend) })`. Keep Keyv's serialization on: backends hold strings only. */
export function toKeyvStore(backend: StorageBackend): KeyvStore {
  // Keyv 6 tells adapters from maps by their methods being native async functions.
  const store: KeyvStore = {
    opts: { dialect: 'redis', url: '' },
    async get(key) {
      return (await backend.get(BASE + key)) ?? undefined
    },
    async set(key, value, ttl) {
      await backend.set(BASE + key, expectText(value), ...(ttl === undefined ? [] : [ttl]))
      return true
    },
    async delete(key) {
      const existed = await store.has(key)
      await backend.delete(BASE + key)
      return existed
    },
    async has(key) {
      return (await store.get(key)) !== undefined
    },
    async getMany(keys) {
      const values = await readAll(
        backend,
        keys.map((key) => BASE + key),
      )
      return values.map((value) => value ?? undefined)
    },
    async setMany(entries) {
      const below = entries.map(({ key, value, ttl }) => ({ key: BASE + key, value: expectText(value), ttl }))
      if (backend.setMany) await backend.setMany(below)
      else await Promise.all(below.map(({ key, value, ttl }) => backend.set(key, value, ttl)))
      return entries.map(() => true)
    },
    async deleteMany(keys) {
      const existed = await store.hasMany(keys)
      const below = keys.map((key) => BASE + key)
      if (backend.deleteMany) await backend.deleteMany(below)
      else await Promise.all(below.map((key) => backend.delete(key)))
      return existed.every(Boolean)
    },
    async hasMany(keys) {
      return (await store.getMany(keys)).map((value) => value !== undefined)
    },
    async clear() {
      const prefix = BASE + (store.namespace === undefined ? '' : `${store.namespace}:`)
      const keys: string[] = []
      for await (const key of keysBelow(backend, prefix, 'clear')) keys.push(key)
      await Promise.all(keys.map((key) => backend.delete(key)))
    },
    async *iterator(namespace) {
      const prefix = BASE + (namespace === undefined ? '' : `${namespace}:`)
      for await (const key of keysBelow(backend, prefix, 'iterate')) {
        const value = await backend.get(key)
        if (typeof value === 'string') yield [key.slice(BASE.length), value]
      }
    },
    async disconnect() {
      await backend.close?.()
    },
  }
  return store
}

function expectText(value: unknown): string {
  if (typeof value === 'string') return value
  throw new InvalidOptionError(
    `toKeyvStore: expected a serialized string, got ${typeof value}; leave Keyv's serialization on`,
  )
}
