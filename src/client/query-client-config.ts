/** The client's configuration: what may be said, the defaults, and the check that it is in range. */

import { InvalidOptionError } from '../errors.ts'
import type { QueryDefaults } from '../fetching/environment.ts'
import { defaultRetryDelay } from '../fetching/retry.ts'
import type { Clock } from '../ports/clock.ts'
import type { Logger } from '../ports/logger.ts'
import type { Serializer } from '../ports/serializer.ts'
import type { StorageBackend } from '../ports/storage.ts'
import { assertDuration, assertPositiveDuration, quoted } from '../query/option-checks.ts'
import { assertRetry, type Retry, type RetryDelay } from '../query/query-options.ts'

export interface QueryClientConfig {
  /**
   * L2: `RedisStorage`, `SQLiteStorage`, `DiskCacheStorage`, or any object with `get`, `set` and `delete`.
   * @default none: L1 alone
   */
  storage?: StorageBackend | undefined
  /**
   * For how long data is fresh, in milliseconds from 0 (always stale: served, and refreshed behind) to Infinity.
   * @default 0
   */
  staleTime?: number | undefined
  /**
   * Unused for this long, in milliseconds, an unobserved query leaves L1.
   * @default 300_000
   */
  gcTime?: number | undefined
  /**
   * For how long L2 keeps data, in milliseconds.
   * @default `gcTime`
   */
  storageTtl?: number | undefined
  /**
   * The most that L2 may add to one fetch, in milliseconds greater than 0. An L2 that takes longer is left alone until it
   * answers again.
   * @default 250
   */
  storageTimeout?: number | undefined
  /**
   * The most, in milliseconds greater than 0, that L1 copies may be behind what other workers have invalidated. Where the
   * storage has no change feed, they are looked at so often. Where it has one, they are milliseconds behind; if nothing is
   * heard of it for so long (three of its heartbeats at least), L1 is read again from L2, or, while L2 is away as well, is
   * stale: served while the origin is asked. Infinity = never.
   * @default 5_000
   */
  syncInterval?: number | undefined
  /**
   * How often a failed fetch is tried again.
   * @default 3
   */
  retry?: Retry | undefined
  /** @default `min(1000 * 2 ** attempt, 30_000)` */
  retryDelay?: RetryDelay | undefined
  /**
   * How many queries L1 keeps, from 1 to Infinity. The least recently used leave first; observed and fetching ones never
   * do, and may exceed it.
   * @default 1000
   */
  cacheMaxSize?: number | undefined
  /**
   * The prefix of every L2 key: letters, digits, `-`, `_`, `.`, 1 to 40 of them. Two namespaces never see each other.
   * @default 'sq'
   */
  namespace?: string | undefined
  /** @default JSON, which keeps in L1 what JSON would change */
  serializer?: Serializer | undefined
  /** @default console */
  logger?: Logger | undefined
  /** @default the system's; tests give a `VirtualClock` */
  clock?: Clock | undefined
}

export interface ResolvedConfig {
  readonly defaults: QueryDefaults
  readonly cacheMaxSize: number
  readonly namespace: string
  readonly storageTimeout: number
  readonly syncInterval: number
}

const KNOWN = new Set<string>([
  'storage',
  'staleTime',
  'gcTime',
  'storageTtl',
  'storageTimeout',
  'syncInterval',
  'retry',
  'retryDelay',
  'cacheMaxSize',
  'namespace',
  'serializer',
  'logger',
  'clock',
] satisfies (keyof QueryClientConfig)[])

/** @throws InvalidOptionError (`INVALID_OPTION`) */
export function resolvedConfig(config: QueryClientConfig): ResolvedConfig {
  for (const name of Object.keys(config)) {
    if (!KNOWN.has(name)) {
      throw new InvalidOptionError(`Unknown option ${quoted(name)}; expected ${[...KNOWN].join(', ')}.`)
    }
  }
  const {
    staleTime = 0,
    gcTime = 300_000,
    storageTtl = gcTime,
    storageTimeout = 250,
    syncInterval = 5_000,
  } = config
  const { retry = 3, retryDelay = defaultRetryDelay, cacheMaxSize = 1000, namespace = 'sq' } = config
  assertDuration('staleTime', staleTime)
  assertDuration('gcTime', gcTime)
  assertDuration('storageTtl', storageTtl)
  assertPositiveDuration('storageTimeout', storageTimeout)
  assertPositiveDuration('syncInterval', syncInterval)
  assertRetry(retry, retryDelay)
  if (cacheMaxSize !== Number.POSITIVE_INFINITY && !(Number.isInteger(cacheMaxSize) && cacheMaxSize >= 1)) {
    throw new InvalidOptionError(
      `Invalid cacheMaxSize: ${quoted(cacheMaxSize)}; expected a whole number from 1, or Infinity.`,
    )
  }
  if (typeof namespace !== 'string' || !/^[\w.-]{1,40}$/.test(namespace)) {
    throw new InvalidOptionError(
      `Invalid namespace: ${quoted(namespace)}; expected 1 to 40 letters, digits, "-", "_" or ".".`,
    )
  }
  assertMethods('storage', config.storage, ['get', 'set', 'delete'])
  assertMethods('serializer', config.serializer, ['stringify', 'parse'])
  assertMethods('logger', config.logger, ['warn', 'error'])
  assertMethods('clock', config.clock, ['now', 'setTimeout', 'clearTimeout'])
  const defaults = { staleTime, gcTime, storageTtl, retry, retryDelay }
  return { defaults, cacheMaxSize, namespace, storageTimeout, syncInterval }
}

function assertMethods(name: string, value: unknown, methods: readonly string[]): void {
  if (value === undefined) return
  const missing = methods.filter(
    (method) => typeof (value as Record<string, unknown> | null)?.[method] !== 'function',
  )
  if (missing.length === 0) return
  throw new InvalidOptionError(
    `Invalid ${name}: ${quoted(value)} without ${missing.join(', ')}; expected an object with ${methods.join(', ')}.`,
  )
}
