/**
 * Messages on their way to the peers, in order, kept through outages.
 *
 * Invariants: one batch is under way at a time; a batch that failed is sent again, so a message may be heard twice, which
 * does no harm, but never lost; of several updates of one key the newest is told. Where more wait than `MOST_WAITING`,
 * one message that says so takes the place of all. Owns the alarm of the next attempt.
 */

import type { ChangeFeed } from '../ports/storage.ts'
import { backoff } from '../resilience/backoff.ts'
import type { Alarm, TimerQueue } from '../resilience/timer-queue.ts'
import type { StorageTier } from '../tier/storage-tier.ts'
import {
  type CanonicalKey,
  encodeMessages,
  encodeUpdate,
  type Notice,
  type Sender,
  subjectOf,
} from './fleet-message.ts'

export const MOST_WAITING = 10_000
const BATCH = 1_000

export class Outbox {
  readonly #tier: StorageTier
  readonly #feed: ChangeFeed
  readonly #sender: Sender
  readonly #timers: TimerQueue
  readonly #random: () => number
  /** By what they speak of; an invalidation speaks of itself alone, and of an update its moment says the rest. */
  #waiting = new Map<string, Notice | number>()
  /** What a call is to append now: the first of all. */
  #underWay = new Map<string, Notice | number>()
  #told: (() => void)[] = []
  #serial = 0
  #isSending = false
  #attempts = 0
  #alarm: Alarm | null = null
  #isClosed = false

  constructor(tier: StorageTier, feed: ChangeFeed, sender: Sender, timers: TimerQueue, random: () => number) {
    this.#tier = tier
    this.#feed = feed
    this.#sender = sender
    this.#timers = timers
    this.#random = random
  }

  get size(): number {
    return this.#waiting.size + this.#underWay.size
  }

  /** Resolves when the log has the message. */
  send(message: Notice): Promise<void> {
    this.post(message)
    return new Promise<void>((resolve) => this.#told.push(resolve))
  }

  post(message: Notice): void {
    this.#add(`#${this.#serial++}`, message)
  }

  /** L2 has newer data of a key. A burst tells of thousands: no message is made for one that waits. */
  postUpdate(key: CanonicalKey, dataUpdatedAt: number): void {
    this.#add(subjectOf(key), dataUpdatedAt)
  }

  #add(subject: string, message: Notice | number): void {
    const { size } = this.#waiting
    this.#waiting.set(subject, message)
    if (this.#waiting.size === size) {
      // The newest place in the order: what was told of the key before may be older than an invalidation between.
      this.#waiting.delete(subject)
      this.#waiting.set(subject, message)
    }
    if (this.#waiting.size > MOST_WAITING) this.#waiting = new Map([['#', { type: 'lost' }]])
    this.#schedule()
  }

  /** Resolves when nothing waits any longer. */
  idle(): Promise<void> {
    return this.size === 0 ? Promise.resolve() : new Promise((resolve) => this.#told.push(resolve))
  }

  close(): void {
    this.#isClosed = true
    if (this.#alarm !== null) this.#timers.cancel(this.#alarm)
  }

  #schedule(): void {
    if (this.#isSending || this.#alarm !== null || this.#isClosed) return
    this.#isSending = true
    queueMicrotask(() => void this.#pump())
  }

  #take(): void {
    if (this.#waiting.size <= BATCH) {
      this.#underWay = this.#waiting
      this.#waiting = new Map()
      return
    }
    for (const [subject, message] of this.#waiting) {
      this.#underWay.set(subject, message)
      this.#waiting.delete(subject)
      if (this.#underWay.size === BATCH) break
    }
  }

  /** First again, but for what has a newer message now. */
  #takeBack(): void {
    const former = [...this.#underWay].filter(([subject]) => !this.#waiting.has(subject))
    this.#waiting = new Map([...former, ...this.#waiting])
    this.#underWay = new Map()
  }

  async #pump(): Promise<void> {
    while (this.#waiting.size > 0 && !this.#isClosed) {
      this.#take()
      const told = this.#waiting.size === 0 ? this.#told.splice(0) : []
      const messages: (Notice | string)[] = []
      for (const [subject, message] of this.#underWay)
        messages.push(typeof message === 'number' ? encodeUpdate(subject, message) : message)
      const texts = encodeMessages(this.#sender, messages)
      const outcome = await this.#tier.call('append', () => this.#feed.append(texts))
      if (!outcome.isOk) {
        this.#takeBack()
        this.#told.unshift(...told)
        this.#alarm = this.#timers.after(backoff(this.#attempts++, 50, 2_000, this.#random), () => {
          this.#alarm = null
          this.#schedule()
        })
        break
      }
      this.#attempts = 0
      this.#underWay = new Map()
      for (const tell of told) tell()
    }
    // Who came to wait while the last batch was under way.
    if (this.#waiting.size === 0) for (const tell of this.#told.splice(0)) tell()
    this.#isSending = false
    // Who asked while the last batch was under way is told of its end as well.
    if (this.#waiting.size === 0) for (const tell of this.#told.splice(0)) tell()
  }
}
