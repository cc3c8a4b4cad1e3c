import type { StorageBackend } from 'stackquery'

const values = new Map<string, string>()
// Three methods are enough, synchronous or not, whatever set and delete give back.
const map: StorageBackend = {
  get: (key) => values.get(key),
  set: (key, value) => values.set(key, value),
  delete: (key) => values.delete(key),
}
const remote: StorageBackend = {
  get: async () => null,
  set: async () => {},
  delete: async () => 1,
}

// @ts-expect-error: a storage has at least three methods
const noDelete: StorageBackend = { get: () => null, set: () => {} }
// @ts-expect-error: values are text
const binary: StorageBackend = { ...map, get: () => new Uint8Array() }
