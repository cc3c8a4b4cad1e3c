/** The options of `DiskCacheStorage`, validated once. May import ports and errors. */

import { resolve } from 'node:path'
import { InvalidOptionError } from '../../errors.ts'
import type { Logger } from '../../ports/logger.ts'

/** Which entries leave first when the cache is full. */
export type EvictionPolicy = 'least-recently-stored' | 'least-recently-used'

export interface DiskCacheOptions {
  /**
   * Where the cache lives; made when missing. It must be empty, or be a cache that this class made: any other
   * directory is refused and left untouched. Relative to the working directory at construction. A local disk:
   * memory maps and locks do not work over network file systems.
   * @default '.cache'
   * @throws INVALID_OPTION when it is not a non-empty string without NUL characters.
   */
  readonly directory?: string | undefined
  /**
   * The most bytes that the data file may take on disk, its free pages included; at least 1 MiB. The oldest
   * entries leave when it is reached. The entries themselves fill about seven eighths of it: the rest is what
   * the copy-on-write of a transaction needs. One value may take a quarter of it at most; a larger one is
   * refused with `STORAGE_FAILED`. Processes that share a directory should give the same limit: each
   * enforces its own as it writes.
   * @default 1_073_741_824 (1 GiB)
   * @throws INVALID_OPTION when it is not a safe integer of at least 1_048_576.
   */
  readonly sizeLimit?: number | undefined
  /**
   * What leaves first: the entry that was stored longest ago, or the one that was used longest ago. The latter
   * costs a small write now and then for entries that are read: at most one for each of them while an eighth
   * of the cache is renewed.
   * @default 'least-recently-stored'
   * @throws INVALID_OPTION when it is another value.
   */
  readonly eviction?: EvictionPolicy | undefined
  /**
   * How many messages the change feed keeps, at least 1; an eighth of `sizeLimit` at most, whatever their number. A
   * follower that was suspended or blocked while more were appended is told of a gap. Processes that share a directory
   * should agree: the smallest number counts.
   * @default 10_000
   * @throws INVALID_OPTION when it is not an integer of at least 1.
   */
  readonly feedLength?: number | undefined
  /**
   * Told once when a corrupt data file is set aside.
   * @default none
   * @throws INVALID_OPTION when it has no `warn` and `error` functions.
   */
  readonly logger?: Logger | undefined
}

export interface DiskCacheSettings {
  readonly directory: string
  readonly sizeLimit: number
  readonly eviction: EvictionPolicy
  readonly feedLength: number
  readonly logger: Logger | undefined
}

const MIN_SIZE_LIMIT = 1024 ** 2

export function resolveOptions(given: string | DiskCacheOptions = {}): DiskCacheSettings {
  const options = typeof given === 'string' ? { directory: given } : given
  if (typeof options !== 'object' || options === null) {
    throw new InvalidOptionError(`DiskCacheStorage takes a directory or options, got ${show(options)}`)
  }
  const { directory = '.cache', sizeLimit = 1024 ** 3, eviction = 'least-recently-stored' } = options
  const { feedLength = 10_000, logger } = options
  if (typeof directory !== 'string' || directory === '' || directory.includes('\0')) {
    throw new InvalidOptionError(`directory must be a path without NUL, got ${show(directory)}`)
  }
  if (!Number.isSafeInteger(sizeLimit) || sizeLimit < MIN_SIZE_LIMIT) {
    throw new InvalidOptionError(
      `sizeLimit must be an integer from ${MIN_SIZE_LIMIT} bytes, got ${show(sizeLimit)}`,
    )
  }
  if (eviction !== 'least-recently-stored' && eviction !== 'least-recently-used') {
    throw new InvalidOptionError(
      `eviction must be 'least-recently-stored' or 'least-recently-used', got ${show(eviction)}`,
    )
  }
  if (!Number.isSafeInteger(feedLength) || feedLength < 1) {
    throw new InvalidOptionError(`feedLength must be an integer from 1, got ${show(feedLength)}`)
  }
  if (logger !== undefined && (typeof logger?.warn !== 'function' || typeof logger.error !== 'function')) {
    throw new InvalidOptionError(`logger must have warn and error functions, got ${show(logger)}`)
  }
  return { directory: resolve(directory), sizeLimit, eviction, feedLength, logger }
}

function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}
