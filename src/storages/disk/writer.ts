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
import { LeaseLedger } from './lease-ledger.ts'
import { Ledger } from './ledger.ts'
import type { CacheStores } from './lmdb.ts'
import { MessageLog, type PreparedMessage } from './message-log.ts'
import type { WriteRequest, WriterSettings } from './protocol.ts'
import { Room } from './room.ts'
import { bytesOf, prepareStep, type Step } from './step.ts'
import type { WriteLock } from './write-lock.ts'

interface Batch {
  readonly steps: readonly { readonly step: Step; readonly request: WriteRequest }[]
  /** About what they add to the file. */
  readonly bytes: number
}

export interface Outcome {
  /** Everything else is visible to every process. */
  readonly failed: ReadonlyMap<WriteRequest, unknown>
  /** An operation of it was refused, the others were done. */
  readonly refused: ReadonlySet<WriteRequest>
}

const MAX_BATCH_STEPS = 2_000
/** One value may take a quarter of the limit. */
const MAX_SHARE = 4
/** The feed's log may take an eighth of it. */
const FEED_SHARE = 8
/** Rows culled or evicted per step: more than one, so that a cache over its limit comes down. */
const ROWS_PER_STEP = 4
const MIN_ROWS = 16
/** In transactions: a reader that moves is never that far behind, since it reads in one go. */
const MAX_READER_LAG = 50

export class Writer {
  readonly #stores: CacheStores
  readonly #ledger: Ledger
  readonly #leases: LeaseLedger
  readonly #log: MessageLog
  readonly #settings: WriterSettings
  readonly #marker: FlushMarker
  readonly #lock: WriteLock
  readonly #maxBatchBytes: number
  readonly #room: Room

  constructor(stores: CacheStores, settings: WriterSettings, marker: FlushMarker, lock: WriteLock) {
    const { sizeLimit, feedLength } = settings
    this.#lock = lock
    this.#stores = stores
    this.#ledger = new Ledger(stores)
    this.#leases = new LeaseLedger(stores)
    this.#log = new MessageLog(stores, feedLength, sizeLimit / FEED_SHARE)
    this.#settings = settings
    this.#marker = marker
    this.#room = new Room(this.#ledger, sizeLimit)
    this.#maxBatchBytes = Math.min(sizeLimit / 32, 8 * 1024 ** 2)
  }

  perform(requests: readonly WriteRequest[]): Outcome {
    const failed = new Map<WriteRequest, unknown>()
    const refused = new Set<WriteRequest>()
    let steps: { step: Step; request: WriteRequest }[] = []
    let bytes = 0
    const flush = () => {
      try {
        if (steps.length > 0) for (const request of this.#commit({ steps, bytes })) refused.add(request)
      } catch (error) {
        for (const { request } of steps) failed.set(request, error)
      }
      steps = []
      bytes = 0
    }
    for (const request of requests) {
      for (const operation of request.operations) {
        if (steps.length >= MAX_BATCH_STEPS || bytes > this.#maxBatchBytes) flush()
        let step = prepareStep(operation)
        if ((step.kind === 'set' || step.kind === 'add') && this.#isTooLarge(step)) {
          failed.set(request, this.#tooLarge(bytesOf(step)))
          if (step.kind === 'add') continue
          step = { kind: 'delete', key: step.key }
        }
        steps.push({ step, request })
        bytes += bytesOf(step)
      }
    }
    flush()
    return { failed, refused }
  }

  /** Returns the requests of which a step was refused. */
  #commit(batch: Batch): readonly WriteRequest[] {
    const steps = this.#withoutIdleTouches(batch.steps)
    if (steps.length === 0) return []
    const { root } = this.#stores
    const transact = <T>(work: () => T) => this.#lock.run(() => root.transactionSync(work))
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
    return transact(() => {
      this.#marker.set()
      const now = Date.now()
      const excess = batch.bytes > 0 ? room.need(batch.bytes) : 0
      const freed = excess > 0 ? ledger.evict(Math.min(excess, 2 * batch.bytes), rows) : 0
      room.settle(batch.bytes, freed)
      ledger.cull(now, rows)
      return this.#apply(steps, now)
    })
  }

  #apply(steps: Batch['steps'], now: number): readonly WriteRequest[] {
    const refused: WriteRequest[] = []
    const messages: PreparedMessage[] = []
    const ledger = this.#ledger
    let rank = ledger.lastRank()
    for (const { step, request } of steps) {
      switch (step.kind) {
        case 'append':
          messages.push(step.message)
          break
        case 'touch':
          ledger.touch(step.key, ++rank)
          break
        case 'delete':
          ledger.remove(step.key)
          break
        case 'set':
        case 'add':
          if (step.kind === 'add' && ledger.hasLive(step.key, now)) refused.push(request)
          else if (step.row === undefined) ledger.remove(step.key)
          else ledger.store(step.key, step.row, step.expiresAt, ++rank)
          break
        default:
          if (!this.#leases.perform(step, now)) refused.push(request)
      }
    }
    if (messages.length > 0) this.#log.append(messages)
    return refused
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

  #withoutIdleTouches(steps: Batch['steps']): Batch['steps'] {
    if (!steps.some(({ step }) => step.kind === 'touch')) return steps
    this.#stores.root.resetReadTxn()
    const lastRank = this.#ledger.lastRank()
    const { entryCount } = this.#stores.values.getStats()
    const worthy = steps.filter(
      ({ step }) => step.kind !== 'touch' || this.#ledger.isWorthTouching(step.key, lastRank, entryCount),
    )
    // A snapshot that is left behind keeps pages from being reused while this thread waits for the lock.
    this.#stores.root.resetReadTxn()
    return worthy
  }

  #isTooLarge(step: Step): boolean {
    return bytesOf(step) > this.#settings.sizeLimit / MAX_SHARE
  }

  #tooLarge(bytes: number): StorageError {
    const { sizeLimit } = this.#settings
    return new StorageError(
      'STORAGE_FAILED',
      `a value of about ${bytes} bytes is more than a quarter of sizeLimit (${sizeLimit}): not stored, and what was stored under its key removed`,
    )
  }
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
