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
import { encodeMessages, type FleetMessage, type Sender } from './fleet-message.ts'

export const MOST_WAITING = 10_000
const BATCH = 500

export class Outbox {
  readonly #tier: StorageTier
  readonly #feed: ChangeFeed
  readonly #sender: Sender
  readonly #timers: TimerQueue
  readonly #random: () => number
  /** By what they speak of; an invalidation speaks of itself alone. */
  #waiting = new Map<string, FleetMessage>()
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
    return this.#waiting.size
  }

  /** Resolves when the log has the message. */
  send(message: FleetMessage): Promise<void> {
    this.post(message)
    return new Promise<void>((resolve) => this.#told.push(resolve))
  }

  post(message: FleetMessage): void {
    const subject = message.type === 'updated' ? message.key.join(',') : `#${this.#serial++}`
    // The newest place in the order: what was told of the key before may be older than an invalidation between.
    this.#waiting.delete(subject)
    this.#waiting.set(subject, message)
    if (this.#waiting.size > MOST_WAITING) this.#waiting = new Map([['#', { type: 'lost' }]])
    this.#schedule()
  }

  /** Resolves when nothing waits any longer. */
  idle(): Promise<void> {
    return this.#waiting.size === 0 ? Promise.resolve() : new Promise((resolve) => this.#told.push(resolve))
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

  #first(): [string, FleetMessage][] {
    const batch: [string, FleetMessage][] = []
    for (const each of this.#waiting) {
      batch.push(each)
      if (batch.length === BATCH) break
    }
    return batch
  }

  async #pump(): Promise<void> {
    while (this.#waiting.size > 0 && !this.#isClosed) {
      const batch = this.#first()
      const told = batch.length === this.#waiting.size ? this.#told.splice(0) : []
      const messages = batch.map(([, message]) => message)
      const texts = encodeMessages(this.#sender, messages)
      const outcome = await this.#tier.call('append', () => this.#feed.append(texts))
      if (!outcome.isOk) {
        this.#told.unshift(...told)
        this.#alarm = this.#timers.after(backoff(this.#attempts++, 50, 2_000, this.#random), () => {
          this.#alarm = null
          this.#schedule()
        })
        break
      }
      this.#attempts = 0
      // What was put in its place meanwhile is still to be told.
      for (const [subject, message] of batch)
        if (this.#waiting.get(subject) === message) this.#waiting.delete(subject)
      for (const tell of told) tell()
    }
    // Who came to wait while the last batch was under way.
    if (this.#waiting.size === 0) for (const tell of this.#told.splice(0)) tell()
    this.#isSending = false
    // Who asked while the last batch was under way is told of its end as well.
    if (this.#waiting.size === 0) for (const tell of this.#told.splice(0)) tell()
  }
}
