/**
 * Writes and deletes on their way to L2, off every caller's path, kept through outages.
 *
 * Invariants: one pending write per key, the newest. Tokens go before entries and are never dropped. A key has one
 * write under way at a time: one that passed its deadline counts as under way until it is answered, or for
 * `LOST_AFTER`, because it may still take effect and would then undo its successor. Everything ends in exactly one
 * of `written`, `superseded` or `dropped`. A batch is as large as the store has shown to take well within its deadline.
 *
 * What L2 is owed while it is away may be kept apart, without a write (`owed`): it counts as one that waits, and becomes one
 * when its turn comes, or when somebody asks for it.
 *
 * States of a write: `ready` → `sent` → gone, or → `failing` (waits for its own next attempt, so that it blocks nobody)
 * → `sent` … Ready and failing ones each stand in a line of their kind. While the circuit is open all of
 * them stay. One pump runs at a time; the retry alarm is owned here.
 *
 * Long because: one queue, one pump, one set of invariants.
 */

import type { Clock } from '../ports/clock.ts'
import { backoff } from '../resilience/backoff.ts'
import { holdProcess } from '../resilience/hold-process.ts'
import type { SafeLogger } from '../resilience/safe-logger.ts'
import type { Alarm, TimerQueue } from '../resilience/timer-queue.ts'
import type { Outcome } from './backend-calls.ts'
import { Line } from './line.ts'
import type { OwedDelete, OwedDeletes } from './owed-deletes.ts'
import { bytesOf, type PendingWrite } from './pending-write.ts'
import type { StorageGuard } from './storage-guard.ts'
import { isPlainName } from './storage-keys.ts'

/** What may wait. Tokens are no entries; generations bound their number. */
export interface WriteLimits {
  /** Entries. */
  readonly count: number
  /** Of everything. */
  readonly bytes: number
}

export const WRITE_LIMITS: WriteLimits = { count: 50_000, bytes: 64 * 1024 * 1024 }
/** Entries of one call, as long as it is not known what the store can do. */
const BATCH = 256
const LARGEST_BATCH = 2_048
/** Of a call's deadline: a full batch that took no more of it is followed by one of twice the size. */
const QUICK = 1 / 8
const MOST_ATTEMPTS = 10
const LOST_AFTER = 60_000
const BUSY_PAUSE = 50
/** Until what could not be made, and was not nudged, is tried again. */
const UNMADE_PAUSE = 200
const FLUSH_PAUSE = 5

export interface WriteStats {
  /** Writes and deletes that wait. */
  pending: number
  /** What they hold, about. */
  pendingBytes: number
  written: number
  /** Replaced by a newer write of the same key before they were sent. */
  superseded: number
  /** Given up: too many, too large, or refused by the store again and again. */
  dropped: number
}

export interface WriteBehindSettings {
  readonly guard: StorageGuard
  readonly clock: Clock
  readonly timers: TimerQueue
  readonly logger: SafeLogger
  readonly random: () => number
  readonly limits: WriteLimits
  readonly owed: OwedDeletes
  readonly tombstone: (of: OwedDelete) => PendingWrite
}

export class WriteBehind {
  readonly #settings: WriteBehindSettings
  /** All that wait, oldest first. */
  readonly #pending = new Map<string, PendingWrite>()
  /** Those of them that may be dropped. */
  #entries = 0
  /** Those of them that are no tombstones. */
  #values = 0
  /**
   * They again, oldest first from `#oldest` on, `null` for what is gone. Not a set: finding the first of one costs as much
   * as was deleted before it.
   */
  readonly #byAge: (PendingWrite | null)[] = []
  #oldest = 0
  readonly #readyTokens = new Line<PendingWrite>()
  readonly #readyEntries = new Line<PendingWrite>()
  readonly #failing = new Line<PendingWrite>()
  /** None of the failing ones is due before. */
  #due = Number.POSITIVE_INFINITY
  /** What has no value yet, in the order of its coming; some of it may be gone. Emptied in the next microtask. */
  #unmade: PendingWrite[] = []
  /** Keys of unanswered writes, with the (monotonic) moment after which they count as lost. */
  readonly #unanswered = new Map<string, number>()
  #pump: Promise<void> | null = null
  #isScheduled = false
  #retry: Alarm | null = null
  #batch = BATCH
  #bytes = 0
  #written = 0
  #superseded = 0
  #dropped = 0
  #isClosed = false
  /** Whoever flushes and waits for something to happen. */
  #onNudge: (() => void) | null = null

  constructor(settings: WriteBehindSettings) {
    this.#settings = settings
  }

  /** The write that `storageKey` waits for: what L2 says about that key does not count until it is there. */
  peek(storageKey: string): PendingWrite | undefined {
    const write = this.#pending.size === 0 ? undefined : this.#pending.get(storageKey)
    if (write !== undefined) return write
    const owed = this.#settings.owed.take(storageKey)
    return owed === null ? undefined : this.#admit(this.#settings.tombstone(owed))
  }

  /** Whether more than a tombstone may wait for `storageKey`. */
  mayAnswer(storageKey: string): boolean {
    return this.#values > 0 && this.#pending.has(storageKey)
  }

  /** Whether nothing waits but tombstones and tokens. */
  get hasNoValues(): boolean {
    return this.#values === 0
  }

  put(write: PendingWrite): void {
    if (this.#settings.owed.take(write.storageKey) !== null) this.#superseded++
    this.#admit(write)
    this.#shrink()
    this.#schedule()
  }

  /** While L2 is away: it is to delete the entry of the key with this hash. `false` = that must be put as a write. */
  owe(hash: string): boolean {
    const { guard, owed } = this.#settings
    if (guard.isOpenForCalls || !isPlainName(hash)) return false
    if (this.#values > 0 && this.mayAnswer(owed.storageKeyOf(hash))) return false
    if (!owed.add(hash)) this.#superseded++
    else if (this.#isOver()) this.#shrink()
    return true
  }

  /** What waits for `storageKey` could not be made, and can be now. */
  nudge(storageKey: string): void {
    const write = this.#pending.get(storageKey)
    if (write !== undefined && write.line === this.#failing) this.#ready(write)
    this.#schedule()
    this.#onNudge?.()
  }

  /** L2 is back: everything is due. Returns how many wait. */
  resume(): number {
    for (const write of this.#failing) this.#ready(write)
    this.#schedule()
    return this.#waiting
  }

  /** Tries all that waits at once, then at its own pace, until nothing is left or `timeout` milliseconds have passed. */
  async flush(timeout: number): Promise<{ written: number; pending: number }> {
    const { timers } = this.#settings
    const before = this.#written
    const release = holdProcess()
    let isOver = false
    let wake: () => void = () => {}
    const alarm = timers.after(timeout, () => {
      isOver = true
      wake()
    })
    while (this.#waiting > 0 && !isOver) {
      this.resume()
      await Promise.race([this.#settled(), new Promise<void>((resolve) => (wake = resolve))])
    }
    timers.cancel(alarm)
    release()
    return { written: this.#written - before, pending: this.#waiting }
  }

  stats(): WriteStats {
    return {
      pending: this.#waiting,
      pendingBytes: this.#bytes + this.#settings.owed.bytes,
      written: this.#written,
      superseded: this.#superseded,
      dropped: this.#dropped,
    }
  }

  /** What could not be stored and never was put here: counted with the dropped. */
  countDropped(): void {
    this.#dropped++
  }

  close(): void {
    this.#isClosed = true
    if (this.#retry !== null) this.#settings.timers.cancel(this.#retry)
  }

  get #waiting(): number {
    return this.#pending.size + this.#settings.owed.size
  }

  #admit(write: PendingWrite): PendingWrite {
    const older = this.#pending.get(write.storageKey)
    if (older !== undefined) {
      this.#remove(older)
      if (!older.isSent) this.#superseded++
      // Who waited for the older one waits for its place to be taken.
      write.inherit(older)
    }
    this.#pending.set(write.storageKey, write)
    if (!write.isToken) {
      this.#entries++
      if (!write.isTombstone) this.#values++
      this.#growOlder(write)
    }
    this.#bytes += bytesOf(write)
    this.#ready(write)
    return write
  }

  /** Some of what L2 is owed waits as all others from now on. */
  #admitOwed(): void {
    for (const each of this.#settings.owed.takeOldest(BATCH)) this.#admit(this.#settings.tombstone(each))
  }

  #ready(write: PendingWrite): void {
    if (write.value === undefined && !write.isUnmade && !this.#isClosed) {
      write.isUnmade = true
      this.#unmade.push(write)
    }
    const line = write.isToken ? this.#readyTokens : this.#readyEntries
    line.add(write)
  }

  #remove(write: PendingWrite): void {
    if (write.isGone) return
    write.isGone = true
    this.#pending.delete(write.storageKey)
    this.#bytes -= bytesOf(write)
    if (!write.isToken) {
      this.#entries--
      if (!write.isTombstone) this.#values--
      this.#byAge[write.place] = null
    }
    write.line?.remove(write)
  }

  /** The youngest of all. */
  #growOlder(write: PendingWrite): void {
    write.place = this.#byAge.length
    this.#byAge.push(write)
  }

  /** Over the bounds the oldest entries go. */
  #shrink(): void {
    const { owed } = this.#settings
    if (this.#byAge.length > 2 * this.#entries + 1_000) this.#compact()
    for (let left = this.#byAge.length - this.#oldest; left > 0; left--) {
      if (!this.#isOver()) return
      const write = this.#byAge[this.#oldest]
      // What was given up has brought tokens, and all the others went for them.
      if (write === undefined) return
      this.#byAge[this.#oldest++] = null
      if (write === null) continue
      if (write.isSent) this.#growOlder(write)
      else this.#drop(write)
    }
    // What L2 is owed came later than all of those.
    if (owed.size === 0 || !this.#isOver()) return
    this.#admitOwed()
    this.#shrink()
  }

  #isOver(): boolean {
    const { limits, owed } = this.#settings
    return this.#entries + owed.size > limits.count || this.#bytes + owed.bytes > limits.bytes
  }

  #compact(): void {
    let kept = 0
    for (const write of this.#byAge) {
      if (write === null) continue
      write.place = kept
      this.#byAge[kept++] = write
    }
    this.#byAge.length = kept
    this.#oldest = 0
  }

  #drop(write: PendingWrite): void {
    this.#remove(write)
    this.#dropped++
    write.dropped()
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isClosed) return
    // While L2 is away there is nothing to do for what needs no making; its return is told by `resume`.
    if (this.#unmade.length === 0 && !this.#settings.guard.isOpenForCalls) return
    this.#isScheduled = true
    queueMicrotask(() => {
      this.#isScheduled = false
      this.#make()
      if (this.#pump === null && this.#settings.guard.isOpenForCalls) {
        this.#pump = this.#run().finally(() => {
          this.#pump = null
          // What came between the pump's last look and now.
          if (this.#readyTokens.size + this.#readyEntries.size + this.#settings.owed.size > 0)
            this.#schedule()
          this.#scheduleRetry()
        })
      }
    })
  }

  /**
   * Serializes what has come, whether it can be sent or not: an outage must not hold live objects. Each is tried once: what
   * cannot be made is ready again when it is nudged, or after a while.
   */
  #make(): void {
    const unmade = this.#unmade
    if (unmade.length === 0) return
    this.#unmade = []
    for (const write of unmade) {
      write.isUnmade = false
      if (write.isGone) continue
      const before = bytesOf(write)
      if (write.make()) this.#bytes += bytesOf(write) - before
    }
    this.#shrink()
  }

  async #run(): Promise<void> {
    const { guard } = this.#settings
    while (guard.isOpenForCalls) {
      const now = this.#now()
      this.#readyDue(now)
      this.#make()
      const batch = this.#take()
      if (batch.length === 0) return
      const sentAt = this.#now()
      const isTaken = await this.#send(batch)
      this.#learn(batch.length, isTaken, this.#now() - sentAt)
    }
  }

  /** Of thousands that wait for their generations each is looked at once in a while, not with each batch. */
  #readyDue(now: number): void {
    if (now < this.#due) return
    this.#due = Number.POSITIVE_INFINITY
    for (const write of this.#failing) {
      if (write.notBefore <= now) this.#ready(write)
      else this.#due = Math.min(this.#due, write.notBefore)
    }
  }

  /** What waits for a store that takes it slowly, call by call, would grow old: a fast one is given more at a time. */
  #learn(size: number, isTaken: boolean, took: number): void {
    const quick = this.#settings.guard.timeout * QUICK
    if (!isTaken) this.#batch = BATCH
    else if (took > 2 * quick) this.#batch = Math.max(BATCH, this.#batch >> 1)
    else if (took <= quick && size === this.#batch) this.#batch = Math.min(LARGEST_BATCH, 2 * this.#batch)
  }

  #take(): PendingWrite[] {
    const now = this.#now()
    if (this.#readyTokens.size + this.#readyEntries.size === 0) this.#admitOwed()
    for (const line of [this.#readyTokens, this.#readyEntries]) {
      const batch: PendingWrite[] = []
      for (let write = line.first; write !== null; write = line.first) {
        line.remove(write)
        // Looking into an empty map costs as much as into a full one.
        const lostAt = this.#unanswered.size === 0 ? 0 : (this.#unanswered.get(write.storageKey) ?? 0)
        if (lostAt > now) this.#defer(write, lostAt)
        else if (write.value === undefined) this.#defer(write, now + UNMADE_PAUSE)
        else batch.push(write)
        if (batch.length === this.#batch) break
      }
      if (batch.length > 0) return batch
    }
    return []
  }

  /** Whether L2 has taken all of it. */
  async #send(batch: PendingWrite[]): Promise<boolean> {
    const { backend } = this.#settings.guard
    const now = this.#settings.clock.now()
    const isDelete = (write: PendingWrite): boolean =>
      write.value === null || (write.expiresAt !== null && write.expiresAt <= now)
    const ttlOf = ({ expiresAt }: PendingWrite): number | undefined =>
      expiresAt === null ? undefined : expiresAt - now
    const single: PendingWrite[] = []
    const sets: PendingWrite[] = []
    const deletes: PendingWrite[] = []
    for (const write of batch) {
      // What has failed goes alone, so that it cannot take others with it.
      if (write.attempts > 0) single.push(write)
      else if (isDelete(write)) (backend.deleteMany === undefined ? single : deletes).push(write)
      else (backend.setMany === undefined ? single : sets).push(write)
    }
    const sent = single.map((write) =>
      isDelete(write)
        ? this.#call('delete', [write], () => backend.delete(write.storageKey))
        : this.#call('set', [write], () =>
            backend.set(write.storageKey, write.value as string, ttlOf(write)),
          ),
    )
    if (sets.length > 0) {
      const entries = sets.map((write) => ({
        key: write.storageKey,
        value: write.value as string,
        ttl: ttlOf(write),
      }))
      sent.push(this.#call('set', sets, () => backend.setMany?.(entries)))
    }
    if (deletes.length > 0) {
      const keys = deletes.map((write) => write.storageKey)
      sent.push(this.#call('delete', deletes, () => backend.deleteMany?.(keys)))
    }
    return (await Promise.all(sent)).every(Boolean)
  }

  async #call(operation: 'set' | 'delete', writes: PendingWrite[], call: () => unknown): Promise<boolean> {
    const { guard } = this.#settings
    const answered = (): void => {
      for (const { storageKey } of writes) this.#unanswered.delete(storageKey)
      this.resume()
    }
    for (const write of writes) write.isSent = true
    const outcome: Outcome<unknown> = await guard.run(operation, call, answered)
    for (const write of writes) {
      write.isSent = false
      if (outcome.isOk) {
        this.#remove(write)
        this.#written++
        write.done()
      } else if (write.isGone) {
        // A newer write has taken its place meanwhile.
      } else if (outcome.reason === 'failure') {
        write.renew()
        this.#fail(write)
      } else {
        this.#defer(write, this.#now() + BUSY_PAUSE)
      }
      if (!outcome.isOk && outcome.reason === 'timeout') {
        write.renew()
        this.#unanswered.set(write.storageKey, this.#now() + LOST_AFTER)
      }
    }
    return outcome.isOk
  }

  #fail(write: PendingWrite): void {
    const { logger, random } = this.#settings
    write.attempts++
    if (write.attempts < MOST_ATTEMPTS || write.isToken) {
      this.#defer(write, this.#now() + backoff(write.attempts, 50, 30_000, random))
      return
    }
    logger.error(`L2 refused ${write.storageKey} ${write.attempts} times; it stays in L1 alone.`)
    this.#drop(write)
  }

  #defer(write: PendingWrite, notBefore: number): void {
    write.notBefore = notBefore
    this.#due = Math.min(this.#due, notBefore)
    this.#failing.add(write)
  }

  /** Waits are monotonic, so that a step of the wall clock makes none of them longer. */
  #now(): number {
    const { clock } = this.#settings
    return clock.monotonic?.() ?? clock.now()
  }

  #scheduleRetry(): void {
    const { timers, guard } = this.#settings
    if (this.#retry !== null) timers.cancel(this.#retry)
    this.#retry = null
    if (this.#failing.size === 0 || this.#isClosed || !guard.isOpenForCalls) return
    this.#retry = timers.after(Math.max(1, this.#due - this.#now()), () => this.#schedule())
  }

  /** The pump has come to rest, or a moment has passed where it cannot run or found nothing that could be sent. */
  async #settled(): Promise<void> {
    const before = this.#written
    await undefined
    if (this.#pump !== null) await this.#pump
    if (this.#written !== before) return
    const nudged = new Promise<void>((resolve) => {
      this.#onNudge = resolve
    })
    await Promise.race([this.#settings.timers.sleep(FLUSH_PAUSE), nudged])
  }
}
