/**
 * A `StorageBackend` as a TanStack `AsyncStorage`, for `createAsyncStoragePersister` and the like. Its keys are
 * TanStack's, below `async-storage:`. May import ports and its own folder.
 */

import type { StorageBackend } from '../../ports/storage.ts'
import { keysBelow } from './below.ts'

const BASE = 'async-storage:'

export interface AsyncStorage {
  getItem(key: string): Promise<string | null>
  setItem(key: string, value: string): Promise<void>
  removeItem(key: string): Promise<void>
  /** Only where the backend can list its keys. */
  entries?(): Promise<[key: string, value: string][]>
}

export function toAsyncStorage(backend: StorageBackend): AsyncStorage {
  const storage: AsyncStorage = {
    getItem: async (key) => (await backend.get(BASE + key)) ?? null,
    setItem: async (key, value) => {
      await backend.set(BASE + key, value)
    },
    removeItem: async (key) => {
      await backend.delete(BASE + key)
    },
  }
  if (backend.keys) {
    storage.entries = async () => {
      const entries: [string, string][] = []
      for await (const key of keysBelow(backend, BASE, 'list')) {
        const value = await backend.get(key)
        if (typeof value === 'string') entries.push([key.slice(BASE.length), value])
      }
      return entries
    }
  }
  return storage
}
