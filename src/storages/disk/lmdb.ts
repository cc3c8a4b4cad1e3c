/**
 * The shape of `lmdb` that this folder uses, and how it is loaded: an optional peer, never imported statically.
 * May import siblings and errors.
 */

import { MissingDriverError } from '../../errors.ts'
import { keyEncoder } from './key.ts'

export interface LmdbRange {
  readonly start?: Uint8Array
  readonly end?: Uint8Array
  readonly limit?: number
  readonly reverse?: boolean
}

interface TreePages {
  readonly treeBranchPageCount: number
  readonly treeLeafPageCount: number
  readonly overflowPages: number
}

export interface LmdbStats extends TreePages {
  readonly pageSize: number
  readonly entryCount: number
  readonly lastPageNumber: number
  readonly lastTxnId: number
  readonly root: TreePages
  readonly free: TreePages
}

/** More than there are, so that a later version may have more in the same file. */
const MAX_TREES = 16

/** Values are bytes; keys as well, or a string of `keyEncoder`'s. */
export interface LmdbStore {
  /** Valid until the next read: one buffer serves them all. */
  getBinaryFast(key: Uint8Array | string): Uint8Array | undefined
  put(key: Uint8Array, value: Uint8Array): unknown
  remove(key: Uint8Array): unknown
  /** Whether it was there. */
  removeSync(key: Uint8Array): boolean
  getKeys(range: LmdbRange): Iterable<Buffer>
  getRange(range: LmdbRange): Iterable<{ readonly key: Buffer; readonly value: Buffer }>
  getStats(): LmdbStats
}

export interface LmdbRoot extends LmdbStore {
  openDB(options: { name: string; keyEncoder: typeof keyEncoder; encoding: 'binary' }): LmdbStore
  /** Waits for the write lock of all processes; rolled back where `work` throws. */
  transactionSync<T>(work: () => T): T
  /** Flushes the file to the disk, in a thread of the driver's. */
  sync(onEnd: (error?: Error | null) => void): void
  resetReadTxn(): void
  readerCheck(): number
  readerList(): string
  close(): Promise<void>
}

export interface LmdbModule {
  open(options: {
    path: string
    noSubdir: false
    maxDbs: number
    maxReaders: number
    noSync?: boolean
    readOnly?: boolean
  }): LmdbRoot
}

export interface CacheStores {
  readonly root: LmdbRoot
  /** Key -> row (see `row.ts`). */
  readonly values: LmdbStore
  /** Rank, growing with each store -> key: what leaves first stands first. */
  readonly order: LmdbStore
  /** Instant of expiry and rank -> key. */
  readonly expiry: LmdbStore
  /** Id and number -> a part of a large value. */
  readonly chunks: LmdbStore
  /** Id and number -> a part of a message of the feed (see `message-log.ts`). */
  readonly messages: LmdbStore
  /** Key -> lease (see `lease-ledger.ts`). */
  readonly leases: LmdbStore
  /** Instant and key of a lease. */
  readonly leaseExpiry: LmdbStore
  /** What there is one of: the log's ends and incarnation. */
  readonly meta: LmdbStore
}

/**
 * Valid until the next read. Its `length` is right, but the buffer behind it is longer: whoever copies from it
 * says up to where.
 */
export function readBytes(store: LmdbStore, key: Uint8Array | string): Buffer | undefined {
  const bytes = store.getBinaryFast(key)
  if (bytes === undefined || Buffer.isBuffer(bytes)) return bytes
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

export async function loadLmdb(): Promise<LmdbModule> {
  try {
    return (await import('lmdb')) as unknown as LmdbModule
  } catch (cause) {
    throw new MissingDriverError("DiskCacheStorage needs the 'lmdb' package (3 or later): npm install lmdb", {
      cause,
    })
  }
}

/**
 * Nothing is flushed by a commit (`noSync`): what is committed is in the kernel's hands, so the death of a
 * process costs nothing. That of the machine may leave a file that mixes old and new pages: `flush-marker.ts`
 * sees to it that such a file is never used.
 *
 * The first opening in a process must be the writing thread's: it may wait for locks. One that is `readOnly`
 * then joins it, which takes none.
 */
export function openStores(lmdb: LmdbModule, directory: string, readOnly: boolean): CacheStores {
  const root = lmdb.open({
    path: directory,
    noSubdir: false,
    maxDbs: MAX_TREES,
    maxReaders: 1_000,
    ...(readOnly ? { readOnly } : { noSync: true }),
  })
  const openTree = (name: string) => root.openDB({ name, keyEncoder, encoding: 'binary' })
  return {
    root,
    values: openTree('values'),
    order: openTree('order'),
    expiry: openTree('expiry'),
    chunks: openTree('chunks'),
    messages: openTree('messages'),
    leases: openTree('leases'),
    leaseExpiry: openTree('leaseExpiry'),
    meta: openTree('meta'),
  }
}

const CORRUPT_CODES = new Set([-30_793, -30_796, -30_797])

/** MDB_INVALID, MDB_CORRUPTED or MDB_PAGE_NOTFOUND: the data file is damaged. */
export function isCorruption(error: unknown): boolean {
  const code = (error as { code?: unknown } | undefined)?.code
  return (
    CORRUPT_CODES.has(code as number) ||
    /MDB_(INVALID|CORRUPTED|PAGE_NOTFOUND)/.test(String((error as Error | undefined)?.message))
  )
}
