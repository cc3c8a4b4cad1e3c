/** Any TanStack `AsyncStorage` (`localStorage`, React Native's, `idb-keyval` in three lines) as a `StorageBackend`. */

import { InvalidOptionError } from '../../errors.ts'
import type { StorageBackend } from '../../ports/storage.ts'
import { bridge } from './bridge.ts'

export interface AsyncStorageLike {
  getItem(key: string): unknown
  setItem(key: string, value: string): unknown
  removeItem(key: string): unknown
}

/**
 * Such a store has no ttl: what has expired is never answered, but stays there until it is overwritten or
 * deleted.
 *
 * @throws InvalidOptionError (`INVALID_OPTION`) where `storage` has no `getItem`, `setItem` and `removeItem`.
 */
export function fromAsyncStorage(storage: AsyncStorageLike): StorageBackend {
  for (const name of ['getItem', 'setItem', 'removeItem'] as const) {
    if (typeof storage?.[name] !== 'function') {
      throw new InvalidOptionError(
        `fromAsyncStorage: expected an AsyncStorage, got something without ${name}()`,
      )
    }
  }
  return bridge({
    name: 'AsyncStorage',
    maxTtl: 0,
    get: (key) => storage.getItem(key),
    set: (key, text) => storage.setItem(key, text),
    delete: (key) => storage.removeItem(key),
  })
}
