/**
 * Any unstorage `Storage` or bare driver as a `StorageBackend`.
 *
 * Text is stamped so that `destr`, by which a `Storage` parses what it reads, leaves it alone. Long keys are cut
 * into segments, since drivers such as `fs` make path names of them.
 */

import { InvalidOptionError } from '../../errors.ts'
import type { StorageBackend } from '../../ports/storage.ts'
import { bridge, type ForeignStore } from './bridge.ts'

/** Some drivers keep a ttl by a timer, and timers overflow above 2^31 - 1 milliseconds: whole seconds below that. */
const MAX_TTL = 2_147_483_000

/** File names hold 255 bytes on most systems. */
const SEGMENT = 200

/** Ends every segment but the last, so that no directory has the name of a file. */
const CONTINUED = '-'

/** What an unstorage `Storage` and a driver have in common. `ttl` is in seconds there. */
export interface UnstorageLike {
  getItem(key: string, options?: { ttl?: number }): unknown
  setItem?(key: string, value: string, options?: { ttl?: number }): unknown
  removeItem?(key: string, options?: object): unknown
  getKeys(base: string, options?: object): string[] | PromiseLike<string[]>
}

interface Batching {
  getItems?(items: readonly { key: string }[]): unknown
  setItems?(items: readonly { key: string; value: string; options?: { ttl?: number } }[]): unknown
}

/**
 * `storage` stays the user's: closing does not dispose of it. What a driver without ttl keeps after its expiry is
 * never answered, but stays there until it is overwritten or deleted. With the `fs` driver use its `atomic`
 * option where several processes write: without it a read during a write is a miss.
 *
 * @throws InvalidOptionError (`INVALID_OPTION`) where `storage` cannot be read, written and listed.
 */
export function fromUnstorage(storage: UnstorageLike): StorageBackend {
  for (const name of ['getItem', 'setItem', 'removeItem', 'getKeys'] as const) {
    if (typeof storage?.[name] !== 'function') {
      throw new InvalidOptionError(
        `fromUnstorage: expected a writable driver or Storage, got one without ${name}()`,
      )
    }
  }
  const foreign: ForeignStore = {
    name: 'unstorage',
    maxTtl: MAX_TTL,
    get: (key) => storage.getItem(toPath(key), {}),
    set: (key, text, ttl) => storage.setItem?.(toPath(key), text, optionsFor(ttl)),
    delete: (key) => storage.removeItem?.(toPath(key), {}),
    list: async () => (await storage.getKeys('', {})).map(fromPath),
  }
  const { getItems, setItems } = storage as Batching
  if (getItems) {
    foreign.getMany = async (keys) => {
      const paths = [...new Set(keys.map(toPath))]
      const found = await getItems.call(
        storage,
        paths.map((key) => ({ key })),
      )
      const values = new Map(
        (found as { key: string; value: unknown }[]).map(({ key, value }) => [key, value]),
      )
      return keys.map((key) => values.get(toPath(key)))
    }
  }
  if (setItems) {
    foreign.setMany = (entries) =>
      setItems.call(
        storage,
        entries.map(({ key, value, ttl }) => ({ key: toPath(key), value, options: optionsFor(ttl) })),
      )
  }
  return bridge(foreign)
}

/** Whole seconds, rounded up: the stamp is what counts. */
function optionsFor(ttl: number | undefined): { ttl?: number } {
  return ttl === undefined ? {} : { ttl: Math.ceil(ttl / 1_000) }
}

function toPath(key: string): string {
  const segments: string[] = []
  for (let at = 0; at < key.length; at += SEGMENT) segments.push(key.slice(at, at + SEGMENT))
  return segments.join(`${CONTINUED}:`)
}

function fromPath(path: string): string {
  return path.replaceAll(`${CONTINUED}:`, '')
}
