/**
 * L2 as the rest of the client sees it: reads that take a bounded time, writes that take none, invalidations that hold
 * everywhere. Never rejects, and tells "nothing there" from "could not look" where it matters.
 *
 * `read` and `prepare` take at most `storageTimeout`, together where one fetch uses both. `persist`, `remove` and
 * `invalidate` change what this worker believes at once and reach L2 through the write-behind queue.
 *
 * Owns the guard, the queue, what makes the writes, the generations and, from `close` on, the end of the backend.
 *
 * Long because: it is where the parts of the tier meet.
 */

import { canonicalParts } from '../keys/hash-key.ts'
import type { QueryKey } from '../keys/query-key.ts'
import type { Clock } from '../ports/clock.ts'
import type { Serializer } from '../ports/serializer.ts'
import type { Awaitable, SnapshotReader, StorageBackend } from '../ports/storage.ts'
import type { SafeLogger } from '../resilience/safe-logger.ts'
import type { TimerQueue } from '../resilience/timer-queue.ts'
import { type Answers, BatchReader } from './batch-reader.ts'
import { Deadlines } from './deadlines.ts'
import { decodeEnvelope } from './envelope.ts'
import { type Capture, differenceOf, type GenerationKind, Generations, isToken } from './generations.ts'
import type { PendingWrite } from './pending-write.ts'
import { RecentInvalidations } from './recent-invalidations.ts'
import { type GuardStats, type Outcome, StorageGuard, type StorageOperation } from './storage-guard.ts'
import { leaseKey, namespaceKey, probeKey } from './storage-keys.ts'
import { type Keyed, StoredName } from './stored-name.ts'
import { TokenAdder } from './token-adder.ts'
import { Untold } from './untold.ts'
import { type Vouch, Vouching } from './vouching.ts'
import { WRITE_LIMITS, WriteBehind, type WriteLimits, type WriteStats } from './write-behind.ts'
import { type WriteCapture, WriteMaker } from './write-maker.ts'

/** New keys whose generations are asked for together, so that the first of a burst do not wait for the last. */
const LEARNED_TOGETHER = 64
/** So many reports are remembered, lest they are made again. */
const MOST_REPORTED = 1_000
/** Of so many looks into snapshots the time of one is taken, for all of them. */
const LOOKS_MEASURED = 16

/** What L2 has for a key, once it has passed every check. */
export interface StoredData {
  readonly data: unknown
  readonly dataUpdatedAt: number
  /** Invalidated softly: may be served, is not fresh. */
  readonly isInvalidated: boolean
  /** Under which it was got. */
  readonly generations: Capture
}

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

export interface TierStats extends GuardStats, WriteStats {
  hits: number
  misses: number
  /** Values that were corrupt, foreign, of another version, oversized or did not fit their schema: misses, too. */
  rejected: number
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
  /** Tokens that are being made, so that no slot gets two of this worker's. */
  readonly #making = new Map<string, Promise<unknown>>()
  /** Keys of writes for which generations are being asked for. */
  readonly #learning = new Set<string>()
  /** Those of them that nothing was asked for yet: until the next microtask. */
  #unlearned: StoredName[] = []
  /** Where the backend can add. */
  readonly #adder: TokenAdder | null
  readonly #reported = new Set<string>()
  readonly #untold = new Untold()
  readonly #recent = new RecentInvalidations()
  /** The last snapshot in which the namespace's token was read, and what it stands for. */
  #snapshotNumber = 0
  #snapshotVouch: Vouch | null = null
  #looks = 0
  #listener: TierListener | null = null
  readonly #deadlines: Deadlines
  #hits = 0
  #misses = 0
  #rejected = 0
  #replayed = 0

  constructor(settings: TierSettings) {
    const { backend, clock, timers, logger, namespace, storageTimeout, random = Math.random } = settings
    this.#settings = settings
    this.#generations = new Generations(namespace, random)
    this.#namespaceKey = namespaceKey(namespace)
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
    this.#reader = new BatchReader(this.#guard)
    const { add } = backend
    this.#adder =
      add === undefined ? null : new TokenAdder(this.#guard, (...entry) => add.apply(backend, entry))
    const limits = settings.writeLimits ?? WRITE_LIMITS
    this.#writes = new WriteBehind({ guard: this.#guard, clock, timers, logger, random, limits })
    this.#maker = new WriteMaker({
      clock,
      serializer: settings.serializer,
      generations: this.#generations,
      vouching: this.#vouching,
      writes: this.#writes,
      namespaceKey: this.#namespaceKey,
      onUnknown: (name) => {
        if (this.#guard.isOpenForCalls) this.#learnFor(name)
      },
      onPersisted: (name, dataUpdatedAt) => this.#listener?.onPersisted(name, dataUpdatedAt),
      report: (what, message, ...details) => this.#report(what, message, ...details),
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

  get isAway(): boolean {
    return !this.#guard.isOpenForCalls
  }

  leaseKey(hash: string): string {
    return leaseKey(this.#settings.namespace, hash)
  }

  /** What the methods below take a query by; a fetch that uses several of them asks for it once. */
  name(query: Keyed): StoredName {
    return query instanceof StoredName
      ? query
      : new StoredName(query, this.#settings.namespace, this.#generations)
  }

  /**
   * Whether it is known without asking that a read would find nothing: L2 is away, and nothing waits for it in its place.
   * Then it is counted as the read that it spares.
   */
  isMissing(name: StoredName, isAgain: boolean): boolean {
    if (this.#guard.isOpenForCalls || this.#writes.peek(name.storageKey) !== undefined) return false
    if (!isAgain) this.#misses++
    return true
  }

  /** The valid data of a query, or `null` where there is none or `limit` milliseconds have passed; afterwards its generations are known where L2 answered. */
  read(query: Keyed, limit = this.#settings.storageTimeout, isAgain = false): Promise<StoredData | null> {
    return new Promise((resolve) => this.look(query, limit, isAgain, resolve))
  }

  /** `read` without a promise: `tell` is called once, later. `now`: the monotonic moment, where it is known. */
  look(
    query: Keyed,
    limit: number,
    isAgain: boolean,
    tell: (found: StoredData | null) => void,
    now?: number,
  ): void {
    const rejected = this.#rejected
    const name = this.name(query)
    const end = (found: StoredData | null): void => {
      // A fetch that looks again has been counted.
      if (isAgain) this.#rejected = Math.min(this.#rejected, rejected)
      else if (found === null) this.#misses++
      else this.#hits++
      tell(found)
    }
    if (!this.#guard.isOpenForCalls) {
      queueMicrotask(() => end(this.#readPending(name)))
      return
    }
    // What follows may ask L2 again: not amid the alarms, of which one may be about to open the circuit.
    const wait = this.#deadlines.wait(limit, () => queueMicrotask(() => end(null)), now)
    this.#look(name, (found) => {
      if (this.#deadlines.leave(wait)) end(found)
    })
  }

  /**
   * What `read` would find, where the backend tells it at once; `undefined` = it cannot, or what there is needs more than
   * a look. Who uses it counts the hit (`countHit`); who does not reads again, and is counted then.
   */
  readNow(query: Keyed): StoredData | undefined {
    const { snapshot } = this.#guard.backend
    if (snapshot === undefined || !this.#guard.isOpenForCalls) return undefined
    const name = this.name(query)
    const { storageKey } = name
    // What waits to be written has to be made.
    if (this.#writes.peek(storageKey) !== undefined) return undefined
    // A look is too short for measuring each.
    const isMeasured = ++this.#looks % LOOKS_MEASURED === 1
    const startedAt = isMeasured ? this.#now() : 0
    const rejected = this.#rejected
    let stored: StoredData | null
    try {
      const vouch = this.#vouchOf(snapshot)
      if (vouch === null) return undefined
      const seq = this.#generations.mark()
      for (const tokenKey of this.#generations.notVouchedFor(name.slots, vouch))
        this.#generations.learn(tokenKey, snapshot.get(tokenKey) ?? null, seq, vouch)
      const current = this.#generations.vouchedFor(name.slots, vouch)
      if (current === null) return undefined
      stored = this.#accept(name, snapshot.get(storageKey) ?? null, current, current)
    } catch {
      return undefined
    }
    this.#guard.note('get', isMeasured ? this.#now() - startedAt : undefined)
    this.#rejected = rejected
    return stored ?? undefined
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
    await this.#within(() => this.#learnTokens(tokenKeys), undefined, storageTimeout - waited)
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
    const name = this.name(query)
    if (capture === null) this.#writes.countDropped()
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
    if (!this.#learn(all, await this.#reader.load(all), seq)) return null
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
    this.#hits++
  }

  countRejected(): void {
    this.#rejected++
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
      hits: this.#hits,
      misses: this.#misses,
      rejected: this.#rejected,
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
      const wait = this.#deadlines.wait(limit, () => resolve(otherwise))
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

  /** `asksAll`: for every token, whatever vouches for it. */
  #look(query: StoredName, tell: (found: StoredData | null) => void, asksAll = false): void {
    const { storageKey } = query
    const isHere = this.#writes.peek(storageKey) !== undefined
    const vouch = this.#vouching.current
    const asked =
      asksAll || isHere || vouch === null
        ? query.tokenKeys
        : this.#generations.notVouchedFor(query.slots, vouch)
    const seq = this.#generations.mark()
    const keys = isHere ? asked : [storageKey, this.#namespaceKey, ...asked]
    this.#reader.ask(keys, (answers) => this.#judge(query, answers, asked, seq, vouch, tell))
  }

  /** What L2 has answered to a look that asked for these tokens at `seq`, under `vouch`. */
  #judge(
    query: StoredName,
    answers: Answers,
    asked: readonly string[],
    seq: number,
    vouch: Vouch | null,
    tell: (found: StoredData | null) => void,
  ): void {
    const { storageKey } = query
    const holding = this.#hearNamespace(answers)
    const isPending = this.#writes.peek(storageKey) !== undefined
    const text = answers.get(storageKey) ?? null
    const isVouchedFor = asked.length === 0 && holding !== null && !isPending
    const current = isVouchedFor ? this.#generations.vouchedFor(query.slots, holding) : null
    if (current !== null) {
      const stored = this.#accept(query, text, current, current)
      if (text !== null && stored?.isInvalidated !== false) this.#generations.doubt(query.tokenKeys)
      tell(stored)
      return
    }
    const { tokenKeys } = query
    const areLearned = this.#learn(asked, answers, seq, vouch)
    const said = areLearned ? this.#generations.answered(tokenKeys, answers, holding) : null
    // An invalidation has come, and nothing vouches for what was not asked for.
    if (said === undefined && answers.has(this.#namespaceKey)) {
      this.#look(query, tell, true)
      return
    }
    const answered = said ?? null
    // Asked again: a write may have come while L2 was being read, and then it answers alone, a tombstone too. It counts
    // under the generations that L2 has named: where it did not, a peer's removal may be among them.
    const stored = isPending ? this.#readPending(query, answered) : this.#accept(query, text, answered)
    // Should a token that was not asked for be wrong (the store may have lost or damaged it), it must not remain so.
    if (asked.length < tokenKeys.length && text !== null && stored?.isInvalidated !== false)
      this.#generations.doubt(tokenKeys)
    if (!areLearned || this.#generations.capture(tokenKeys) !== null) tell(stored)
    else void this.#settleTokens(tokenKeys).then(() => tell(stored))
  }

  /** What stands for the reads of the snapshot that is to be held now; `null` where nothing does. */
  #vouchOf(snapshot: SnapshotReader): Vouch | null {
    const number = snapshot.hold()
    if (number === undefined) return null
    const { current } = this.#vouching
    if (current !== null && current === this.#snapshotVouch && number === this.#snapshotNumber) return current
    const token = snapshot.get(this.#namespaceKey) ?? null
    if (token === null || !isToken(token)) return null
    this.#snapshotNumber = number
    this.#snapshotVouch = this.#vouching.learn(token, this.#now())
    return this.#snapshotVouch
  }

  /** Returns what stands for the reads that have asked for the namespace's token. */
  #hearNamespace(answers: Answers): Vouch | null {
    const answer = answers.get(this.#namespaceKey)
    if (answer === undefined) return null
    const isKnown = this.#vouching.current?.token === answer
    const token = isKnown || (answer !== null && isToken(answer)) ? answer : null
    if (token === null) void this.#makeToken(this.#namespaceKey)
    return this.#vouching.learn(token, this.#now())
  }

  /** What waits to be written answers for L2; a tombstone answers "nothing". */
  #readPending(query: StoredName, answered?: Capture | null): StoredData | null {
    const write = this.#writes.peek(query.storageKey)
    if (write === undefined || !write.make() || typeof write.value !== 'string') return null
    return this.#accept(query, write.value, answered)
  }

  /**
   * Believes a value of L2 if it is ours, of this key, alive, and of the current generations, here and by what L2 has
   * answered for them (`null`: not for all; `undefined`: it was not asked). Where these are one, it is what `vouchedFor` has
   * just told.
   */
  #accept(
    query: StoredName,
    text: string | null,
    answered: Capture | null | undefined,
    current = this.#generations.current(query.tokenKeys),
  ): StoredData | null {
    if (text === null || answered === null) return null
    const { serializer, clock } = this.#settings
    const { storageKey, isDigest } = query
    const decoded = decodeEnvelope(text, serializer, storageKey)
    if ('reason' in decoded) {
      this.#rejected++
      this.#report(decoded.reason, `L2 data of ${query.hash} was not used: it is ${decoded.reason}.`)
      return null
    }
    const { data, dataUpdatedAt, expiresAt, hard, soft, key } = decoded.envelope
    const now = clock.now()
    if (key !== (isDigest ? query.hash : null)) return null
    if (expiresAt !== null && expiresAt <= now) return null
    if (current === null) return null
    let isInvalidated: boolean
    if (answered === current) {
      // Vouched for, so that they are what is known of its slots: to be put together only when something asks for them.
      const difference = differenceOf(query.slots, hard, soft)
      if (difference === 'hard') return null
      isInvalidated = difference === 'soft'
    } else {
      if (current.hard !== hard || (answered ?? current).hard !== hard) return null
      isInvalidated = current.soft !== soft || (answered ?? current).soft !== soft
    }
    // Another worker's clock may be ahead; data from the future would never grow old.
    return {
      data,
      dataUpdatedAt: Math.min(dataUpdatedAt, now),
      isInvalidated,
      // Strings cut from the text would keep all of it.
      generations: isInvalidated ? { hard, soft } : current,
    }
  }

  /** Returns whether L2 answered for all of them. */
  #learn(tokenKeys: readonly string[], answers: Answers, seq: number, vouch: Vouch | null = null): boolean {
    for (const tokenKey of tokenKeys) if (!answers.has(tokenKey)) return false
    for (const tokenKey of tokenKeys)
      this.#generations.learn(tokenKey, answers.get(tokenKey) ?? null, seq, vouch)
    return true
  }

  async #learnTokens(tokenKeys: readonly string[]): Promise<void> {
    const unknown = tokenKeys.filter((tokenKey) => !this.#generations.isKnown(tokenKey))
    if (unknown.length > 0) {
      const seq = this.#generations.mark()
      if (!this.#learn(unknown, await this.#reader.load(unknown), seq)) return
    }
    await this.#settleTokens(tokenKeys)
  }

  /** So that what waits to be written for this key can be made. A burst of new keys brings thousands. */
  #learnFor(name: StoredName): void {
    if (this.#learning.has(name.storageKey)) return
    this.#learning.add(name.storageKey)
    if (this.#unlearned.length === 0) {
      queueMicrotask(() => {
        const names = this.#unlearned
        this.#unlearned = []
        for (let from = 0; from < names.length; from += LEARNED_TOGETHER)
          void this.#learnForAll(names.slice(from, from + LEARNED_TOGETHER))
      })
    }
    this.#unlearned.push(name)
  }

  async #learnForAll(names: readonly StoredName[]): Promise<void> {
    const isTold = await this.#learnTogether([...new Set(names.flatMap(({ tokenKeys }) => tokenKeys))])
    for (const name of names) {
      // Where L2 did not tell, trying again at once would end in a circle. What is left else is each key's own affair: a
      // token that is on its way to L2, or that another worker has just made, is nothing for others to wait for.
      if (!this.#endLearning(name) && isTold) void this.#learnAlone(name)
    }
  }

  async #learnAlone(name: StoredName): Promise<void> {
    this.#learning.add(name.storageKey)
    await this.#learnTokens(name.tokenKeys)
    this.#endLearning(name)
  }

  /** Returns whether what waits can be made now. */
  #endLearning({ storageKey, slots }: StoredName): boolean {
    this.#learning.delete(storageKey)
    if (this.#generations.captureOf(slots) === null) return false
    this.#writes.nudge(storageKey)
    return true
  }

  /** Reads tokens, and adds those that L2 lacks where it can add; returns whether it has answered for all of them. */
  async #learnTogether(tokenKeys: readonly string[]): Promise<boolean> {
    const unknown = tokenKeys.filter((tokenKey) => !this.#generations.isKnown(tokenKey))
    if (unknown.length === 0) return true
    const seq = this.#generations.mark()
    if (!this.#learn(unknown, await this.#reader.load(unknown), seq)) return false
    if (this.#adder === null) return true
    const absent = unknown.filter(
      (tokenKey) => !this.#generations.isKnown(tokenKey) && !this.#making.has(tokenKey),
    )
    const making = this.#addTokens(this.#adder, absent)
    for (const tokenKey of absent) this.#making.set(tokenKey, making)
    return making
  }

  async #addTokens(adder: TokenAdder, tokenKeys: readonly string[]): Promise<boolean> {
    const tokens = tokenKeys.map(() => this.#generations.makeToken())
    const answers = await adder.addAll(tokenKeys, tokens)
    for (let i = 0; i < tokenKeys.length; i++) {
      const tokenKey = tokenKeys[i] as string
      this.#making.delete(tokenKey)
      if (answers[i] === true) this.#generations.settled(tokenKey, tokens[i] as string)
    }
    return !answers.includes(undefined)
  }

  /** Makes the tokens that L2 lacks, and waits for those that are on their way to it. */
  async #settleTokens(tokenKeys: readonly string[]): Promise<void> {
    if (this.#generations.capture(tokenKeys) !== null) return
    await Promise.all(
      tokenKeys.map((tokenKey) => {
        if (!this.#generations.isKnown(tokenKey)) return this.#makeToken(tokenKey)
        const write = this.#writes.peek(tokenKey)
        return write === undefined ? undefined : doneOf(write)
      }),
    )
  }

  /** The first token of a slot. It counts from the moment that L2 has it: a fetch that began earlier must not use it. */
  #makeToken(tokenKey: string): Promise<unknown> {
    const running = this.#making.get(tokenKey)
    if (running !== undefined) return running
    const making = this.#addToken(tokenKey).finally(() => this.#making.delete(tokenKey))
    this.#making.set(tokenKey, making)
    return making
  }

  /** Where the backend can, so that workers who make it at the same time agree on one. */
  async #addToken(tokenKey: string): Promise<void> {
    if (this.#adder === null) return doneOf(this.#maker.token(tokenKey))
    const token = this.#generations.makeToken()
    const isAdded = await this.#adder.add(tokenKey, token)
    if (isAdded === undefined) return
    if (isAdded) {
      this.#generations.settled(tokenKey, token)
      return
    }
    // Another was first, and its token counts.
    const seq = this.#generations.mark()
    const answers = await this.#reader.load([tokenKey])
    this.#learn([tokenKey], answers, seq)
    // What is no token would stand in the way for ever.
    const isTaken = typeof answers.get(tokenKey) === 'string' && !this.#generations.isKnown(tokenKey)
    if (isTaken) await doneOf(this.#maker.token(tokenKey))
  }

  /** Says a thing once: a store full of garbage must not become a log full of it. */
  #report(what: string, message: string, ...details: unknown[]): void {
    if (this.#reported.has(what)) return
    if (this.#reported.size >= MOST_REPORTED) this.#reported.clear()
    this.#reported.add(what)
    this.#settings.logger.warn(message, ...details)
  }
}

/** Settles when L2 has the write or a newer one of its key, or it was given up. */
function doneOf(write: PendingWrite): Promise<void> {
  return new Promise((resolve) => write.whenDone(resolve))
}
