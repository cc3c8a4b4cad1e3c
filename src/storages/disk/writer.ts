/**
 * Every write to a data file by this process: batches of operations, each batch one transaction.
 *
 * Invariants: operations are applied in the order of their arrival; a batch is one transaction, all or nothing.
 * A request's operations may be spread over several batches.
 * Room: before a batch that would take the file over `sizeLimit`, the oldest rows leave; each transaction also
 * removes a few expired rows. LMDB frees pages only for later transactions, so an eighth of the limit is kept
 * free for what is under way.
 * Runs in the writing thread and blocks it: a transaction waits for the lock, and holds it for nothing but its
 * own writing. Owns nothing: the thread closes the stores. May import siblings and errors.
 */

import { StorageError } from '../../errors.ts'
import type { FlushMarker } from './flush-marker.ts'
import { encodeKey } from './key.ts'
import { Ledger } from './ledger.ts'
import type { CacheStores } from './lmdb.ts'
import type { Operation, WriteRequest, WriterSettings } from './protocol.ts'
import { Room } from './room.ts'
import { type PreparedRow, prepareRow } from './row.ts'
import type { TransactionGate } from './transaction-gate.ts'

interface Step {
  readonly kind: Operation['kind']
  readonly key: Buffer
  readonly row: PreparedRow | undefined
  readonly expiresAt: number
}

interface Batch {
  readonly steps: readonly Step[]
  /** About what its rows take. */
  readonly bytes: number
}

const MAX_BATCH_STEPS = 2_000
/** One value may take a quarter of the limit. */
const MAX_SHARE = 4
/** Rows culled or evicted per step: more than one, so that a cache over its limit comes down. */
const ROWS_PER_STEP = 4
const MIN_ROWS = 16
/** In transactions: a reader that moves is never that far behind, since it reads in one go. */
const MAX_READER_LAG = 50

export class Writer {
  readonly #stores: CacheStores
  readonly #ledger: Ledger
  readonly #settings: WriterSettings
  readonly #marker: FlushMarker
  readonly #gate: TransactionGate
  readonly #maxBatchBytes: number
  readonly #room: Room

  constructor(stores: CacheStores, settings: WriterSettings, marker: FlushMarker, gate: TransactionGate) {
    this.#gate = gate
    this.#stores = stores
    this.#ledger = new Ledger(stores)
    this.#settings = settings
    this.#marker = marker
    this.#room = new Room(this.#ledger, settings.sizeLimit)
    this.#maxBatchBytes = Math.min(settings.sizeLimit / 32, 8 * 1024 ** 2)
  }

  /** Returns what failed; everything else is visible to every process. */
  perform(requests: readonly WriteRequest[]): ReadonlyMap<WriteRequest, unknown> {
    const failed = new Map<WriteRequest, unknown>()
    let members = new Set<WriteRequest>()
    let steps: Step[] = []
    let bytes = 0
    const flush = () => {
      try {
        if (steps.length > 0) this.#commit({ steps, bytes })
      } catch (error) {
        for (const member of members) failed.set(member, error)
      }
      members = new Set()
      steps = []
      bytes = 0
    }
    for (const request of requests) {
      for (const operation of request.operations) {
        if (steps.length >= MAX_BATCH_STEPS || bytes > this.#maxBatchBytes) flush()
        let step = prepare(operation)
        if (step.row !== undefined && step.row.bytes > this.#settings.sizeLimit / MAX_SHARE) {
          failed.set(request, this.#tooLarge(step.row.bytes))
          step = { kind: 'delete', key: step.key, row: undefined, expiresAt: Infinity }
        }
        members.add(request)
        steps.push(step)
        bytes += step.row?.bytes ?? 0
      }
    }
    flush()
    return failed
  }

  #commit(batch: Batch): void {
    const steps = this.#withoutIdleTouches(batch.steps)
    if (steps.length === 0) return
    const { root } = this.#stores
    const transact = (work: () => void) => this.#gate.run(() => root.transactionSync(work))
    const ledger = this.#ledger
    const room = this.#room
    const rows = MIN_ROWS + ROWS_PER_STEP * steps.length
    if (batch.bytes > 0) this.#checkGrowth()
    if (batch.bytes > this.#maxBatchBytes) {
      // What a large batch needs must be free before it begins.
      transact(() => {
        this.#marker.set()
        const excess = room.need(batch.bytes)
        if (excess > 0) room.settle(0, ledger.evict(excess, Number.MAX_SAFE_INTEGER))
      })
    }
    transact(() => {
      this.#marker.set()
      const excess = batch.bytes > 0 ? room.need(batch.bytes) : 0
      const freed = excess > 0 ? ledger.evict(Math.min(excess, 2 * batch.bytes), rows) : 0
      room.settle(batch.bytes, freed)
      ledger.cull(Date.now(), rows)
      let rank = ledger.lastRank()
      for (const { kind, key, row, expiresAt } of steps) {
        if (kind === 'set') ledger.store(key, row!, expiresAt, ++rank)
        else if (kind === 'touch') ledger.touch(key, ++rank)
        else ledger.remove(key)
      }
    })
  }

  /**
   * Pages that a reader still sees are not reused: one that stands still (a stopped process) would make the
   * file grow for ever.
   */
  #checkGrowth(): void {
    const { root, values } = this.#stores
    const { sizeLimit } = this.#settings
    if (this.#room.fileBytes <= sizeLimit * 1.25) return
    root.resetReadTxn()
    root.readerCheck()
    const { lastTxnId } = values.getStats()
    root.resetReadTxn()
    const oldest = oldestReader(root.readerList())
    if (oldest === undefined || lastTxnId - oldest.txnId < MAX_READER_LAG) return
    throw new StorageError(
      'STORAGE_FAILED',
      `the data file is over its limit of ${sizeLimit} bytes and process ${oldest.pid} has been reading an old state of it for ${lastTxnId - oldest.txnId} transactions: nothing is stored until that ends`,
    )
  }

  #withoutIdleTouches(steps: readonly Step[]): readonly Step[] {
    if (!steps.some(({ kind }) => kind === 'touch')) return steps
    this.#stores.root.resetReadTxn()
    const lastRank = this.#ledger.lastRank()
    const { entryCount } = this.#stores.values.getStats()
    const worthy = steps.filter(
      ({ kind, key }) => kind !== 'touch' || this.#ledger.isWorthTouching(key, lastRank, entryCount),
    )
    // A snapshot that is left behind keeps pages from being reused while this thread waits for the lock.
    this.#stores.root.resetReadTxn()
    return worthy
  }

  #tooLarge(bytes: number): StorageError {
    const { sizeLimit } = this.#settings
    return new StorageError(
      'STORAGE_FAILED',
      `a value of about ${bytes} bytes is more than a quarter of sizeLimit (${sizeLimit}): not stored, and what was stored under its key removed`,
    )
  }
}

/** Before the transaction, so that the lock is held for the writing alone. */
function prepare(operation: Operation): Step {
  const key = encodeKey(operation.key)
  const { kind } = operation
  if (kind !== 'set') return { kind, key, row: undefined, expiresAt: Infinity }
  const { value, expiresAt } = operation
  return { kind, key, row: prepareRow(operation.key, key, value, expiresAt), expiresAt }
}

/** From lines of "pid thread txnid", where an idle reader has "-". */
function oldestReader(list: string): { pid: number; txnId: number } | undefined {
  let oldest: { pid: number; txnId: number } | undefined
  for (const [, pid, txnId] of list.matchAll(/^\s*(\d+)\s+[0-9a-f]+\s+(\d+)\s*$/gm)) {
    if (oldest === undefined || Number(txnId) < oldest.txnId)
      oldest = { pid: Number(pid), txnId: Number(txnId) }
  }
  return oldest
}
