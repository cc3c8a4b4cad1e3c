/**
 * L2 as the rest of the client sees it: reads that take a bounded time, writes that take none, invalidations that hold
 * everywhere. Never rejects, and tells "nothing there" from "could not look" where it matters.
 *
 * `read` and `prepare` take at most `storageTimeout`, together where one fetch uses both. `persist`, `remove` and
 * `invalidate` change what this worker believes at once and reach L2 through the write-behind queue.
 *
 * Reads are judged in `StoredReader`, tokens are got in `TokenKeeper`, writes are made in `WriteMaker`. Owns all of these,
 * the guard, the queue, the deadlines, the generations and, from `close` on, the end of the backend.
 *
 * Long because: it is where the parts of the tier meet.
 */

import { canonicalParts } from '../keys/hash-key.ts'
import type { QueryKey } from '../keys/query-key.ts'
import type { Clock } from '../ports/clock.ts'
import type { Serializer } from '../ports/serializer.ts'
import type { Awaitable, StorageBackend } from '../ports/storage.ts'
import type { SafeLogger } from '../resilience/safe-logger.ts'
import type { TimerQueue } from '../resilience/timer-queue.ts'
import type { Outcome, StorageOperation } from './backend-calls.ts'
import { BatchReader } from './batch-reader.ts'
import { Deadlines, type Waiter } from './deadlines.ts'
import { type Capture, type GenerationKind, Generations } from './generations.ts'
import type { Seeker, StoredData } from './look.ts'
import { OwedDeletes } from './owed-deletes.ts'
import { doneOf, type PendingWrite } from './pending-write.ts'
import { RecentInvalidations } from './recent-invalidations.ts'
import { type GuardStats, StorageGuard } from './storage-guard.ts'
import { entryPrefix, leaseKey, namespaceKey, probeKey } from './storage-keys.ts'
import { type Keyed, StoredName } from './stored-name.ts'
import { type ReadStats, StoredReader } from './stored-reader.ts'
import { TokenKeeper } from './token-keeper.ts'
import { Untold } from './untold.ts'
import { Vouching } from './vouching.ts'
import { WRITE_LIMITS, WriteBehind, type WriteLimits, type WriteStats } from './write-behind.ts'
import { type WriteCapture, WriteMaker } from './write-maker.ts'

/** So many reports are remembered, lest they are made again. */
const MOST_REPORTED = 1_000
export interface TierSettings {
  readonly backend: StorageBackend
  readonly clock: Clock
  readonly timers: TimerQueue
  readonly logger: SafeLogger
  readonly serializer: Serializer
  readonly namespace: string
  readonly storageTimeout: number
  readonly random?: () => number
  readonly writeLimits?: WriteLimits
}

/** Who is to hear what L2 has taken. */
export interface TierListener {
  onPersisted(query: Keyed, dataUpdatedAt: number): void
  /** The invalidation holds elsewhere once this has resolved, as far as L1 is concerned. */
  onInvalidated(keys: readonly (readonly string[])[], isExact: boolean, kind: GenerationKind): Promise<void>
  /** What had been invalidated before is so again. */
  onReasserted(): void
}

export interface TierStats extends GuardStats, WriteStats, ReadStats {
  /** Values that the serializer could not carry: they stayed in L1. */
  unserializable: number
  /** Writes and deletes that had to wait for the end of an outage. */
  replayed: number
}

export class StorageTier {
  readonly #settings: TierSettings
  readonly #guard: StorageGuard
  readonly #reader: BatchReader
  readonly #writes: WriteBehind
  readonly #maker: WriteMaker
  readonly #generations: Generations
  readonly #vouching = new Vouching()
  readonly #namespaceKey: string
  readonly #entryPrefix: string
  readonly #tokens: TokenKeeper
  readonly #stored: StoredReader
  readonly #reported = new Set<string>()
  readonly #untold = new Untold()
  readonly #recent = new RecentInvalidations()
  #listener: TierListener | null = null
  readonly #deadlines: Deadlines
  #replayed = 0

  constructor(settings: TierSettings) {
    const { backend, clock, timers, logger, namespace, storageTimeout, random = Math.random } = settings
    this.#settings = settings
    this.#generations = new Generations(namespace, random)
    this.#namespaceKey = namespaceKey(namespace)
    this.#entryPrefix = entryPrefix(namespace)
    this.#guard = new StorageGuard({
      backend,
      clock,
      timers,
      logger,
      timeout: storageTimeout,
      probeKey: probeKey(namespace),
      random,
      onOpened: () => this.#deadlines.endAll(),
      onRecovered: () => {
        const waiting = this.#writes.resume()
        this.#tellUntold()
        this.#replayed += waiting
        return `replaying ${waiting} writes`
      },
    })
    this.#deadlines = new Deadlines(timers, () => this.#now())
    this.#reader = new BatchReader(this.#guard, clock)
    const limits = settings.writeLimits ?? WRITE_LIMITS
    const report = (what: string, message: string, ...details: unknown[]): void =>
      this.#report(what, message, ...details)
    this.#writes = new WriteBehind({
      guard: this.#guard,
      clock,
      timers,
      logger,
      random,
      limits,
      owed: new OwedDeletes(namespace),
      tombstone: (of) => this.#maker.tombstone(of),
    })
    this.#maker = new WriteMaker({
      clock,
      serializer: settings.serializer,
      generations: this.#generations,
      vouching: this.#vouching,
      writes: this.#writes,
      namespaceKey: this.#namespaceKey,
      onUnknown: (name) => {
        if (this.#guard.isOpenForCalls) this.#tokens.askFor(name)
      },
      onPersisted: (name, dataUpdatedAt) => this.#listener?.onPersisted(name, dataUpdatedAt),
      report,
    })
    const shared = {
      guard: this.#guard,
      reader: this.#reader,
      writes: this.#writes,
      generations: this.#generations,
      vouching: this.#vouching,
      namespaceKey: this.#namespaceKey,
      now: () => this.#now(),
    }
    this.#tokens = new TokenKeeper({ ...shared, maker: this.#maker })
    this.#stored = new StoredReader({
      ...shared,
      name: (query) => this.name(query),
      tokens: this.#tokens,
      deadlines: this.#deadlines,
      clock,
      serializer: settings.serializer,
      report,
    })
  }

  set listener(listener: TierListener) {
    this.#listener = listener
  }

  /** Calls the backend through the guard, for what is built upon the tier. */
  call<T>(operation: StorageOperation, call: () => Awaitable<T>): Promise<Outcome<T>> {
    return this.#guard.run(operation, call)
  }

  /** Asks L2 for nothing in particular: whether it answers is known within `storageTimeout`. */
  sense(): void {
    const { backend } = this.#guard
    void this.#guard.run('get', () => backend.get(probeKey(this.#settings.namespace)))
  }

  /** What L2 has may be told at once (`readNow`). */
  get hasSnapshots(): boolean {
    return this.#guard.backend.snapshot !== undefined
  }

  get isAway(): boolean {
    return !this.#guard.isOpenForCalls
  }

  leaseKey(hash: string): string {
    return leaseKey(this.#settings.namespace, hash)
  }

  /** What the methods below take a query by; who uses several of them asks for it once. */
  name(query: Keyed): StoredName {
    return query instanceof StoredName ? query : new StoredName(query, this.#entryPrefix, this.#generations)
  }

  /** L2 is away, and nothing is known or waits that anybody could be told by a name. */
  get isBlank(): boolean {
    return !this.#guard.isOpenForCalls && this.#generations.isEmpty && this.#writes.hasNoValues
  }

  /**
   * Whether it is known without asking that a read would find nothing: L2 is away, and nothing waits for it in its place.
   * Then it is counted as the read that it spares.
   */
  isMissing(query: Keyed, isAgain: boolean): boolean {
    if (this.#guard.isOpenForCalls) return false
    if (!this.#writes.hasNoValues && this.#writes.mayAnswer(this.name(query).storageKey)) return false
    if (!isAgain) this.#stored.countMiss()
    return true
  }

  /** The valid data of a query, or `null` where there is none or `limit` milliseconds have passed. */
  read(query: Keyed, limit = this.#settings.storageTimeout, isAgain = false): Promise<StoredData | null> {
    return this.#stored.read(query, limit, isAgain)
  }

  look(query: Keyed, limit: number, isAgain: boolean, seeker: Seeker, now?: number): void {
    this.#stored.look(query, limit, isAgain, seeker, now)
  }

  readNow(query: Keyed, now: number): StoredData | undefined {
    return this.#stored.readNow(this.name(query), now)
  }

  /**
   * Makes the generations of a query known, so that what is fetched next may be written. `since`: the monotonic moment from
   * which on L2 has been waited for already.
   */
  async prepare(query: Keyed, since?: number): Promise<void> {
    if (!this.#guard.isOpenForCalls) return
    const { tokenKeys } = this.name(query)
    if (this.#generations.capture(tokenKeys) !== null) return
    const { clock, storageTimeout } = this.#settings
    const waited = since === undefined ? 0 : (clock.monotonic?.() ?? clock.now()) - since
    if (waited >= storageTimeout) return
    await this.#within(() => this.#tokens.ask(tokenKeys), undefined, storageTimeout - waited)
  }

  /** What a fetch that begins now may be written under. */
  capture(query: Keyed): Capture | null {
    return this.#generations.isEmpty ? null : this.#generations.captureOf(this.name(query).slots)
  }

  /** Writes data behind the caller's back; `ttl` in milliseconds. `onCaptured` hears under which generations. */
  persist(
    query: Keyed,
    data: unknown,
    dataUpdatedAt: number,
    ttl: number,
    capture: WriteCapture,
    onDone?: () => void,
    onCaptured?: (generations: Capture) => void,
  ): void {
    if (capture === null) this.#writes.countDropped()
    if (capture === null && onDone === undefined && this.#writes.owe(query.hash)) return
    const name = this.name(query)
    if (capture === null || ttl <= 0) this.#maker.delete(name, onDone)
    else this.#maker.entry(name, data, dataUpdatedAt, ttl, capture, onDone, onCaptured)
  }

  /** The entries themselves, where they are known; the generations see to those that are not. */
  remove(query: Keyed): void {
    this.#maker.delete(this.name(query))
  }

  /**
   * Replaces the generations of keys, and of all below them unless `isExact`. Holds here at once; resolves when L2
   * has it, or after `storageTimeout`, or at once while L2 is away.
   */
  async invalidate(keys: readonly QueryKey[], isExact: boolean, kind: GenerationKind): Promise<void> {
    const parts = keys.map(canonicalParts)
    this.#recent.add(this.#now(), parts, isExact, kind)
    await this.#invalidate(parts, isExact, kind)
  }

  /**
   * L2 may have gone back to what it was before: what was invalidated here lately is invalidated again. The peers are told
   * by one message that says that more was changed than can be told: all of them do the same now, and what they all had
   * to say could be more than the log keeps, which would be a gap again.
   */
  reassert(): void {
    const tokenKeys = new Set<string>()
    for (const { parts, isExact, kind } of this.#recent.take(this.#now())) {
      this.#recent.add(this.#now(), parts, isExact, kind)
      for (const each of parts)
        for (const tokenKey of this.#generations.tokenKeysToReplace(each, isExact, kind))
          tokenKeys.add(tokenKey)
    }
    if (tokenKeys.size === 0) return
    const writes = [...tokenKeys].map((tokenKey) => doneOf(this.#maker.replaceToken(tokenKey)))
    void Promise.all(writes).then(() => this.#listener?.onReasserted())
  }

  async #invalidate(
    parts: readonly (readonly string[])[],
    isExact: boolean,
    kind: GenerationKind,
  ): Promise<void> {
    const tokenKeys = new Set(
      parts.flatMap((each) => this.#generations.tokenKeysToReplace(each, isExact, kind)),
    )
    const writes = [...tokenKeys].map((tokenKey) => this.#maker.replaceToken(tokenKey))
    if (!this.#guard.isOpenForCalls) {
      // An outage may be long: what is to be told is kept, not who asked.
      this.#untold.add(parts, isExact, kind)
      return
    }
    await this.#within(() => this.#tell(writes, parts, isExact, kind), undefined)
  }

  /** `null` = L2 has none, `undefined` = it could not be read. */
  async readNamespaceToken(): Promise<string | null | undefined> {
    return (await this.#reader.load([this.#namespaceKey])).get(this.#namespaceKey)
  }

  /** The generations of queries as L2 has them now, `null` for one that is not known; `null` where L2 did not answer. */
  async readGenerations(queries: readonly Keyed[]): Promise<readonly (Capture | null)[] | null> {
    const tokenKeys = queries.map(({ key }) => this.#generations.tokenKeysOf(key))
    const all = [...new Set(tokenKeys.flat())]
    const seq = this.#generations.mark()
    if (!this.#tokens.learn(all, await this.#reader.load(all), seq)) return null
    return tokenKeys.map((each) => this.#generations.current(each))
  }

  /** What a peer has invalidated, or everything: its generations are read again before they count. */
  forgetGenerations(parts?: readonly string[], isExact = false): void {
    if (parts === undefined) {
      this.#generations.forgetAll()
      return
    }
    for (const kind of ['hard', 'soft'] as const) {
      this.#generations.forget(this.#generations.tokenKeysToReplace(parts, isExact, kind))
    }
  }

  countHit(): void {
    this.#stored.countHit()
  }

  countRejected(): void {
    this.#stored.countRejected()
  }

  async flush(timeout: number): Promise<{ written: number; pending: number }> {
    const { timers } = this.#settings
    timers.hold()
    const result = await this.#writes.flush(timeout)
    timers.release()
    return result
  }

  async close(timeout: number): Promise<void> {
    const { logger, backend } = this.#settings
    const { pending } = await this.flush(timeout)
    if (pending > 0) logger.error(`Closed with ${pending} writes that L2 has not taken.`)
    this.#writes.close()
    this.#guard.close()
    try {
      await this.#within(async () => backend.close?.(), undefined, Math.max(timeout, 1_000))
    } catch (error) {
      logger.error('Closing L2 failed.', error)
    }
    // The timers end with the client: nobody else would tell those who still wait.
    this.#deadlines.endAll()
  }

  stats(): TierStats {
    return {
      ...this.#guard.stats(),
      ...this.#writes.stats(),
      ...this.#stored.stats(),
      unserializable: this.#maker.unserializable,
      replayed: this.#replayed,
    }
  }

  #now(): number {
    const { clock } = this.#settings
    return clock.monotonic?.() ?? clock.now()
  }

  /** L2 first: a peer that hears of an invalidation reads L2. */
  async #tell(
    writes: readonly (PendingWrite | undefined)[],
    parts: readonly (readonly string[])[],
    isExact: boolean,
    kind: GenerationKind,
  ): Promise<void> {
    await Promise.all(writes.map((write) => write && doneOf(write)))
    const announcement = this.#writes.peek(this.#namespaceKey)
    await Promise.all([
      announcement && doneOf(announcement),
      this.#listener?.onInvalidated(parts, isExact, kind),
    ])
  }

  /** What was invalidated while L2 was away, once its tokens are there. */
  #tellUntold(): void {
    for (const { parts, isExact, kind } of this.#untold.take()) {
      const tokenKeys = parts.flatMap((each) => this.#generations.tokenKeysToReplace(each, isExact, kind))
      void this.#tell(
        tokenKeys.map((tokenKey) => this.#writes.peek(tokenKey)),
        parts,
        isExact,
        kind,
      )
    }
  }

  /** The result of `work`, or `otherwise` where it takes longer than a fetch may wait, or L2 goes away meanwhile. */
  #within<T>(work: () => Promise<T>, otherwise: T, limit = this.#settings.storageTimeout): Promise<T> {
    return new Promise((resolve, reject) => {
      const wait: Waiter = { group: null, next: null, previous: null, giveUp: () => resolve(otherwise) }
      this.#deadlines.wait(limit, wait)
      work().then(
        (result) => {
          if (this.#deadlines.leave(wait)) resolve(result)
        },
        (error) => {
          if (this.#deadlines.leave(wait)) reject(error)
        },
      )
    })
  }

  /** Says a thing once: a store full of garbage must not become a log full of it. */
  #report(what: string, message: string, ...details: unknown[]): void {
    if (this.#reported.has(what)) return
    if (this.#reported.size >= MOST_REPORTED) this.#reported.clear()
    this.#reported.add(what)
    this.#settings.logger.warn(message, ...details)
  }
}
