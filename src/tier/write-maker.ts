/**
 * Makes what is to be written: entries, tombstones and tokens, each under the generations that count for it.
 *
 * An entry is made a moment after it was ordered, under what was captured then, or else under what can be captured at its
 * making (`when-written`), less the tokens that were replaced in between. Where nothing can be captured, its generations
 * are asked for, and it waits. What was given up condemns its key: L2 may hold something older, and nobody may believe it.
 *
 * A burst makes thousands of orders: each is one object that lets go of its data once it is made.
 *
 * Owns no timer and nothing that would have to be closed; what it orders waits in the write-behind queue.
 */

import type { Clock } from '../ports/clock.ts'
import type { Serializer } from '../ports/serializer.ts'
import { encodeEnvelope, LONGEST_VALUE } from './envelope.ts'
import type { Capture, Generations } from './generations.ts'
import type { OwedDelete } from './owed-deletes.ts'
import { PendingWrite, type WriteOrder } from './pending-write.ts'
import type { StoredName } from './stored-name.ts'
import type { Vouching } from './vouching.ts'
import type { WriteBehind } from './write-behind.ts'

/** Under which generations a result may be written: known, unknown (it must not), or those of the writing itself. */
export type WriteCapture = Capture | null | 'when-written'

export interface WriteMakerSettings {
  readonly clock: Clock
  readonly serializer: Serializer
  readonly generations: Generations
  readonly vouching: Vouching
  readonly writes: WriteBehind
  readonly namespaceKey: string
  /** The generations of a write that waits for them are to be asked for. */
  readonly onUnknown: (name: StoredName) => void
  /** L2 has an entry. */
  readonly onPersisted: (name: StoredName, dataUpdatedAt: number) => void
  /** What cannot be stored, said once for each `what`. */
  readonly report: (what: string, message: string, ...details: unknown[]) => void
}

export class WriteMaker {
  readonly #settings: WriteMakerSettings
  readonly #generations: Generations
  readonly #writes: WriteBehind
  #unserializable = 0

  constructor(settings: WriteMakerSettings) {
    this.#settings = settings
    this.#generations = settings.generations
    this.#writes = settings.writes
  }

  /** Values that the serializer could not carry. */
  get unserializable(): number {
    return this.#unserializable
  }

  /**
   * `ttl` in milliseconds, above 0. `onDone` is called when L2 has it or a newer one, or it was given up; `onCaptured` hears
   * under which generations the data is written.
   */
  entry(
    name: StoredName,
    data: unknown,
    dataUpdatedAt: number,
    ttl: number,
    capture: Capture | 'when-written',
    onDone?: () => void,
    onCaptured?: (generations: Capture) => void,
  ): void {
    const { clock } = this.#settings
    const expiresAt = ttl === Number.POSITIVE_INFINITY ? null : Math.ceil(clock.now() + ttl)
    const early = capture === 'when-written' ? this.#generations.captureOf(name.slots) : capture
    const madeAt = early === null ? this.#generations.mark() : 0
    const order = new EntryOrder(this, name, data, dataUpdatedAt, expiresAt, early, madeAt, onCaptured)
    this.#put(order, onDone)
  }

  delete(name: StoredName, onDone?: () => void): void {
    this.#put(new Tombstone(this, name), onDone)
  }

  /** A tombstone that is not put anywhere yet. */
  tombstone(of: OwedDelete): PendingWrite {
    return new PendingWrite(new Tombstone(this, of))
  }

  replaceToken(tokenKey: string): PendingWrite {
    let token = this.#generations.replace(tokenKey)
    let isFirst = true
    const write = this.token(tokenKey, () => {
      if (!isFirst) token = this.#generations.renew(tokenKey, token)
      isFirst = false
      return token
    })
    write.whenDone(() => this.#announce())
    return write
  }

  /** `make`: called once for each attempt. */
  token(tokenKey: string, make = () => this.#generations.makeToken()): PendingWrite {
    let token = ''
    return this.#put({
      storageKey: tokenKey,
      isToken: true,
      expiresAt: null,
      produce: () => {
        token = make()
        return token
      },
      onDone: () => this.#generations.settled(tokenKey, token),
    })
  }

  /** What L2 is to hold for an order; `undefined` = that cannot be said yet. */
  produce(order: EntryOrder): string | null | undefined {
    const { name, early, madeAt, dataUpdatedAt, expiresAt, onCaptured } = order
    const generations = early ?? this.#generations.captureSince(name.tokenKeys, madeAt)
    if (generations === null) {
      this.#settings.onUnknown(name)
      return undefined
    }
    onCaptured?.(generations)
    try {
      const { hard, soft } = generations
      const envelope = {
        data: order.data,
        dataUpdatedAt,
        expiresAt,
        hard,
        soft,
        key: name.isDigest ? name.hash : null,
      }
      const text = encodeEnvelope(envelope, this.#settings.serializer, name.storageKey)
      if (text.length <= LONGEST_VALUE) return text
      this.#settings.report(
        `size of ${name.hash}`,
        `Data of ${name.hash} stays in L1: ${text.length} characters are too many for L2.`,
      )
    } catch (error) {
      this.#settings.report(`form of ${name.hash}`, `Data of ${name.hash} stays in L1.`, error)
    }
    this.#unserializable++
    return null
  }

  persisted({ name, dataUpdatedAt }: EntryOrder): void {
    this.#settings.onPersisted(name, dataUpdatedAt)
  }

  /** L2 may hold something older than what was given up; nobody may believe it. */
  condemn(hash: string): void {
    this.replaceToken(this.#generations.tokenKeyToRemove(hash))
  }

  /** L2 has the new token of a slot: from now on nothing that was read before vouches for it, anywhere. */
  #announce(): void {
    const { vouching, namespaceKey } = this.#settings
    vouching.forget()
    // One that has not been sent yet comes after this one, too.
    if (this.#writes.peek(namespaceKey)?.isSent === false) return
    this.token(namespaceKey)
  }

  #put(order: WriteOrder, onDone?: () => void): PendingWrite {
    const write = new PendingWrite(order)
    // First: it may be given up at once.
    if (onDone !== undefined) write.whenDone(onDone)
    this.#writes.put(write)
    return write
  }
}

class EntryOrder implements WriteOrder {
  readonly #maker: WriteMaker
  readonly name: StoredName
  data: unknown
  readonly dataUpdatedAt: number
  readonly expiresAt: number | null
  /** `null`: to be captured when it is made, less what was replaced since `madeAt`. */
  readonly early: Capture | null
  readonly madeAt: number
  readonly onCaptured: ((generations: Capture) => void) | undefined

  constructor(
    maker: WriteMaker,
    name: StoredName,
    data: unknown,
    dataUpdatedAt: number,
    expiresAt: number | null,
    early: Capture | null,
    madeAt: number,
    onCaptured: ((generations: Capture) => void) | undefined,
  ) {
    this.#maker = maker
    this.name = name
    this.data = data
    this.dataUpdatedAt = dataUpdatedAt
    this.expiresAt = expiresAt
    this.early = early
    this.madeAt = madeAt
    this.onCaptured = onCaptured
  }

  get storageKey(): string {
    return this.name.storageKey
  }

  get isToken(): boolean {
    return false
  }

  produce(): string | null | undefined {
    const value = this.#maker.produce(this)
    // An outage must not hold live objects.
    if (value !== undefined) this.data = undefined
    return value
  }

  onDone(): void {
    this.#maker.persisted(this)
  }

  onDropped(): void {
    this.#maker.condemn(this.name.hash)
  }
}

class Tombstone implements WriteOrder {
  readonly #maker: WriteMaker
  readonly storageKey: string
  readonly #hash: string
  readonly produce = null
  readonly isToken = false
  readonly expiresAt = null

  constructor(maker: WriteMaker, { storageKey, hash }: OwedDelete) {
    this.#maker = maker
    this.storageKey = storageKey
    this.#hash = hash
  }

  onDropped(): void {
    this.#maker.condemn(this.#hash)
  }
}
