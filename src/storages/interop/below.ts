/** What the bridges from a `StorageBackend` ask of it beyond `get`, `set` and `delete`. */

import { InvalidOptionError } from '../../errors.ts'
import type { StorageBackend } from '../../ports/storage.ts'

/** @throws InvalidOptionError (`INVALID_OPTION`) where the backend cannot list its keys. */
export function keysBelow(backend: StorageBackend, prefix: string, purpose: string): AsyncIterable<string> {
  if (backend.keys) return backend.keys(prefix)
  throw new InvalidOptionError(`cannot ${purpose}: expected a storage with keys(), and this one has none`)
}

export async function readAll(
  backend: StorageBackend,
  keys: readonly string[],
): Promise<readonly (string | null | undefined)[]> {
  return backend.getMany ? backend.getMany(keys) : Promise.all(keys.map((key) => backend.get(key)))
}
