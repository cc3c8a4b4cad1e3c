/**
 * What L2 holds for one key, once it has passed every check: reads, by a batch or out of a snapshot, and the judgement on
 * what was read.
 *
 * Nothing is believed but what was written under the generations that are current here and in L2 (see `Generations`); what
 * waits to be written answers for L2. Who reads is told once, within the limit that was named, and never rejected.
 *
 * Holds no data, only counts; its deadlines are the tier's.
 *
 * Long because: a read and the judgement on it are one thing.
 */

import type { Clock } from '../ports/clock.ts'
import type { Serializer } from '../ports/serializer.ts'
import type { SnapshotReader } from '../ports/storage.ts'
import type { Answers, BatchReader, Request } from './batch-reader.ts'
import type { Deadlines } from './deadlines.ts'
import { decodeEnvelope, decodeExpected } from './envelope.ts'
import { type Capture, differenceFrom, type Generations, isToken, worseOf } from './generations.ts'
import { jsonSerializer } from './json-serializer.ts'
import { Look, type LookHost, type Seeker, type StoredData } from './look.ts'
import type { TokenList } from './slots.ts'
import type { StorageGuard } from './storage-guard.ts'
import type { Keyed, StoredName } from './stored-name.ts'
import type { TokenKeeper } from './token-keeper.ts'
import type { Vouch, Vouching } from './vouching.ts'
import type { WriteBehind } from './write-behind.ts'

/** Of so many looks into snapshots the time of one is taken, for all of them. */
const LOOKS_MEASURED = 16
const NONE: readonly string[] = []

export interface ReadStats {
  hits: number
  misses: number
  /** Values that were corrupt, foreign, of another version, oversized or did not fit their schema: misses, too. */
  rejected: number
}

export interface StoredReaderSettings {
  readonly guard: StorageGuard
  readonly reader: BatchReader
  readonly writes: WriteBehind
  readonly generations: Generations
  readonly vouching: Vouching
  readonly tokens: TokenKeeper
  readonly deadlines: Deadlines
  readonly clock: Clock
  readonly serializer: Serializer
  readonly namespaceKey: string
  readonly name: (query: Keyed) => StoredName
  /** Milliseconds that never step back. */
  readonly now: () => number
  /** What was found that cannot be used, said once for each `what`. */
  readonly report: (what: string, message: string) => void
}

export class StoredReader {
  readonly #settings: StoredReaderSettings
  readonly #guard: StorageGuard
  readonly #writes: WriteBehind
  readonly #generations: Generations
  readonly #vouching: Vouching
  readonly #tokens: TokenKeeper
  readonly #namespaceKeys: readonly string[]
  /** The last snapshot in which the namespace's token was read, and what it stands for. */
  #snapshotNumber = 0
  #snapshotVouch: Vouch | null = null
  #looks = 0
  #hits = 0
  #misses = 0
  #rejected = 0
  readonly #host: LookHost = {
    name: (query) => this.#settings.name(query),
    askFor: (look, request) => this.#askFor(look, request),
    judge: (look, own, answers, at, now) => this.#judge(look, own, answers, at, now),
    end: (look, found) => this.#end(look, found),
  }

  constructor(settings: StoredReaderSettings) {
    this.#settings = settings
    this.#guard = settings.guard
    this.#writes = settings.writes
    this.#generations = settings.generations
    this.#vouching = settings.vouching
    this.#tokens = settings.tokens
    this.#namespaceKeys = [settings.namespaceKey]
  }

  stats(): ReadStats {
    return { hits: this.#hits, misses: this.#misses, rejected: this.#rejected }
  }

  /** Of a read that was spared, since L2 is away. */
  countMiss(): void {
    this.#misses++
  }

  countHit(): void {
    this.#hits++
  }

  countRejected(): void {
    this.#rejected++
  }

  /** The valid data of a query, or `null` where there is none or `limit` milliseconds have passed; afterwards its generations are known where L2 answered. */
  read(query: Keyed, limit: number, isAgain: boolean): Promise<StoredData | null> {
    return new Promise((resolve) => this.look(query, limit, isAgain, { found: resolve }))
  }

  /** `read` without a promise. `now`: the monotonic moment, where it is known. */
  look(query: Keyed, limit: number, isAgain: boolean, seeker: Seeker, now?: number): void {
    const look = new Look(this.#host, query, isAgain, this.#rejected, seeker)
    if (!this.#guard.isOpenForCalls) {
      this.#answerAlone(look)
      return
    }
    this.#settings.deadlines.wait(limit, look, now)
    this.#settings.reader.ask(look)
  }

  /** L2 is away: what waits to be written is all there is. */
  #answerAlone(look: Look): void {
    queueMicrotask(() => this.#end(look, this.#readPending(look.name)))
  }

  /**
   * What `read` would find, where the backend tells it at once; `undefined` = it cannot, or what there is needs more than
   * a look. Who uses it counts the hit (`countHit`); who does not reads again, and is counted then.
   */
  readNow(name: StoredName, now: number): StoredData | undefined {
    const { snapshot } = this.#guard.backend
    if (snapshot === undefined || !this.#guard.isOpenForCalls) return undefined
    const { storageKey } = name
    // What waits to be written has to be made.
    if (this.#writes.peek(storageKey) !== undefined) return undefined
    // A look is too short for measuring each.
    const isMeasured = ++this.#looks % LOOKS_MEASURED === 1
    const startedAt = isMeasured ? this.#settings.now() : 0
    const rejected = this.#rejected
    let stored: StoredData | null
    try {
      const vouch = this.#vouchOf(snapshot)
      if (vouch === null) return undefined
      const current = name.vouchedFor(vouch) ?? this.#learnNow(name, vouch, snapshot)
      if (current === null) return undefined
      stored = this.#acceptVouched(name, snapshot.get(storageKey) ?? null, current, now)
    } catch {
      return undefined
    }
    this.#guard.note('get', isMeasured ? this.#settings.now() - startedAt : undefined)
    this.#rejected = rejected
    return stored ?? undefined
  }

  /** The tokens that `vouch` stands for once those of them have been read that it did not. */
  #learnNow(name: StoredName, vouch: Vouch, snapshot: SnapshotReader): TokenList | null {
    const seq = this.#generations.mark()
    for (const tokenKey of this.#generations.notVouchedFor(name.slots, vouch))
      this.#generations.learn(tokenKey, snapshot.get(tokenKey) ?? null, seq, vouch)
    return name.vouchedFor(vouch)
  }

  #end({ isAgain, rejectedBefore, seeker }: Look, found: StoredData | null, now?: number): void {
    // A fetch that looks again has been counted.
    if (isAgain) this.#rejected = Math.min(this.#rejected, rejectedBefore)
    else if (found === null) this.#misses++
    else this.#hits++
    seeker.found(found, now)
  }

  /** Ends it in time, or it has ended. */
  #found(look: Look, found: StoredData | null, now?: number): void {
    if (this.#settings.deadlines.leave(look)) this.#end(look, found, now)
  }

  /** By what is known when L2 is asked, and not before. */
  #askFor(look: Look, request: Request): void {
    const { name, asksAll } = look
    const { storageKey } = name
    const isHere = this.#writes.peek(storageKey) !== undefined
    const vouch = this.#vouching.current
    const asksFew = !asksAll && !isHere && vouch !== null
    look.vouched = asksFew ? name.vouchedFor(vouch) : null
    let asked = NONE
    if (!asksFew) asked = name.tokenKeys
    else if (look.vouched === null) asked = this.#generations.notVouchedFor(name.slots, vouch)
    look.asked = asked
    look.seq = this.#generations.mark()
    look.vouch = vouch
    if (vouch !== null) look.lapsed = vouch.lapsed
    if (isHere) request.add(null, asked)
    else request.add(storageKey, this.#withNamespace(asked))
  }

  #withNamespace(asked: readonly string[]): readonly string[] {
    return asked.length === 0 ? this.#namespaceKeys : [...this.#namespaceKeys, ...asked]
  }

  /** What L2 has answered to a look that asked for these tokens at `seq`, under `vouch`; `text`: the entry. */
  #judge(look: Look, text: string | null, answers: Answers, at: number, now: number): void {
    const { name: query, asked, vouched, seq, vouch, lapsed } = look
    const { storageKey } = query
    const holding = this.#tokens.hearNamespace(answers, at)
    const isPending = this.#writes.peek(storageKey) !== undefined
    // The list itself says the same, and lies far away.
    const isVouchedFor = vouched !== null && vouch !== null && holding === vouch && vouch.lapsed === lapsed
    if (isVouchedFor && !isPending) {
      const stored = this.#acceptVouched(query, text, vouched, now)
      if (text !== null && stored?.isInvalidated !== false) this.#generations.doubt(query.tokenKeys)
      this.#found(look, stored, now)
      return
    }
    const { tokenKeys } = query
    const areLearned = this.#tokens.learn(asked, answers, seq, vouch)
    const said = areLearned ? this.#generations.answered(tokenKeys, answers, holding) : null
    // An invalidation has come, and nothing vouches for what was not asked for.
    if (said === undefined && answers.has(this.#settings.namespaceKey)) {
      look.asksAll = true
      this.#settings.reader.ask(look)
      return
    }
    const answered = said ?? null
    // Asked again: a write may have come while L2 was being read, and then it answers alone, a tombstone too. It counts
    // under the generations that L2 has named: where it did not, a peer's removal may be among them.
    const stored = isPending ? this.#readPending(query, answered) : this.#accept(query, text, answered)
    // Should a token that was not asked for be wrong (the store may have lost or damaged it), it must not remain so.
    if (asked.length < tokenKeys.length && text !== null && stored?.isInvalidated !== false)
      this.#generations.doubt(tokenKeys)
    if (!areLearned || this.#generations.capture(tokenKeys) !== null) this.#found(look, stored)
    else void this.#tokens.settle(tokenKeys).then(() => this.#found(look, stored))
  }

  /** What stands for the reads of the snapshot that is to be held now; `null` where nothing does. */
  #vouchOf(snapshot: SnapshotReader): Vouch | null {
    const number = snapshot.hold()
    if (number === undefined) return null
    const { current } = this.#vouching
    if (current !== null && current === this.#snapshotVouch && number === this.#snapshotNumber) return current
    const token = snapshot.get(this.#settings.namespaceKey) ?? null
    if (token === null || !isToken(token)) return null
    this.#snapshotNumber = number
    this.#snapshotVouch = this.#vouching.learn(token, this.#settings.now())
    return this.#snapshotVouch
  }

  /** What waits to be written answers for L2; a tombstone answers "nothing". */
  #readPending(query: StoredName, answered?: Capture | null): StoredData | null {
    const write = this.#writes.peek(query.storageKey)
    if (write === undefined || !write.make() || typeof write.value !== 'string') return null
    return this.#accept(query, write.value, answered)
  }

  /** `#accept`, where one token vouches for these. */
  #acceptVouched(query: StoredName, text: string | null, current: TokenList, now: number): StoredData | null {
    const { serializer } = this.#settings
    if (text === null) return null
    const isUsual = serializer === jsonSerializer && !query.isDigest
    const decoded = isUsual ? decodeExpected(text, query.storageKey, current.written) : null
    if (decoded === null) return this.#accept(query, text, current, current)
    const { data, dataUpdatedAt, expiresAt } = decoded
    if (expiresAt !== null && expiresAt <= now) return null
    return { data, dataUpdatedAt: Math.min(dataUpdatedAt, now), isInvalidated: false, generations: current }
  }

  /**
   * Believes a value of L2 if it is ours, of this key, alive, and of the current generations, here and by what L2 has
   * answered for them (`null`: not for all; `undefined`: it was not asked).
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
      this.#settings.report(decoded.reason, `L2 data of ${query.hash} was not used: it is ${decoded.reason}.`)
      return null
    }
    const { data, dataUpdatedAt, expiresAt, hard, soft, key } = decoded.envelope
    const now = clock.now()
    if (key !== (isDigest ? query.hash : null)) return null
    if (expiresAt !== null && expiresAt <= now) return null
    if (current === null) return null
    const difference = worseOf(
      differenceFrom(current, hard, soft),
      differenceFrom(answered ?? current, hard, soft),
    )
    if (difference === 'hard') return null
    const isInvalidated = difference === 'soft'
    // Another worker's clock may be ahead; data from the future would never grow old.
    return {
      data,
      dataUpdatedAt: Math.min(dataUpdatedAt, now),
      isInvalidated,
      // Strings cut from the text would keep all of it.
      generations: isInvalidated ? { hard, soft } : current,
    }
  }
}
