/**
 * A `StorageBackend` as an unstorage driver. Its keys are unstorage's, below `unstorage:`. `ttl` in a call's
 * options is in seconds, as in unstorage's own drivers; raw values arrive as text, which `Storage` sees to.
 * May import ports, errors and its own folder.
 */

import type { StorageBackend } from '../../ports/storage.ts'
import { keysBelow, readAll } from './below.ts'

const BASE = 'unstorage:'

interface ItemOptions {
  /** Seconds; none = no expiry. */
  readonly ttl?: number | undefined
}

export interface UnstorageDriver {
  readonly name: string
  readonly flags: { readonly ttl: boolean }
  hasItem(key: string): Promise<boolean>
  getItem(key: string): Promise<string | null>
  getItems(items: readonly { key: string }[]): Promise<{ key: string; value: string | null }[]>
  setItem(key: string, value: string, options?: ItemOptions): Promise<void>
  removeItem(key: string): Promise<void>
  /** @throws InvalidOptionError (`INVALID_OPTION`) where the backend cannot list its keys. */
  getKeys(base?: string): Promise<string[]>
  /** @throws InvalidOptionError (`INVALID_OPTION`) where the backend cannot list its keys. */
  clear(base?: string): Promise<void>
  /** Closes the backend. */
  dispose(): Promise<void>
}

/** For `createStorage({ driver: toUnstorageDriver(backend) })`. */
export function toUnstorageDriver(backend: StorageBackend): UnstorageDriver {
  const list = async (base: string, purpose: string) => {
    const keys: string[] = []
    for await (const key of keysBelow(backend, BASE + base, purpose)) keys.push(key)
    return keys
  }
  return {
    name: 'stackquery',
    flags: { ttl: true },
    hasItem: async (key) => ((await backend.get(BASE + key)) ?? null) !== null,
    getItem: async (key) => (await backend.get(BASE + key)) ?? null,
    getItems: async (items) => {
      const values = await readAll(
        backend,
        items.map(({ key }) => BASE + key),
      )
      return items.map(({ key }, index) => ({ key, value: values[index] ?? null }))
    },
    setItem: async (key, value, options) => {
      // unstorage's drivers take a ttl of 0 for none.
      const ttl = options?.ttl ? options.ttl * 1_000 : undefined
      await (ttl === undefined ? backend.set(BASE + key, value) : backend.set(BASE + key, value, ttl))
    },
    removeItem: async (key) => {
      await backend.delete(BASE + key)
    },
    getKeys: async (base = '') => (await list(base, 'list the keys')).map((key) => key.slice(BASE.length)),
    clear: async (base = '') => {
      await Promise.all((await list(base, 'clear')).map((key) => backend.delete(key)))
    },
    dispose: async () => {
      await backend.close?.()
    },
  }
}
