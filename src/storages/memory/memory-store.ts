/**
 * What the handles of one `MemoryStorage` share: values, leases and the feed.
 *
 * Invariants: nothing is readable at or after its expiry; expired entries leave when they are met, and every
 * write looks at a few more, so that they cannot pile up without a timer. Nothing to close.
 * May import ports and the feed beside it.
 */

import type { Clock } from '../../ports/clock.ts'
import type { MemoryFeed } from './memory-feed.ts'

/** Two per write find expired entries faster than one per write makes them. */
const SWEPT_PER_WRITE = 2

interface Item {
  readonly value: string
  /** Epoch milliseconds, `Infinity` = never. */
  readonly expiresAt: number
}

export class MemoryStore {
  readonly feed: MemoryFeed
  readonly #clock: Pick<Clock, 'now'>
  readonly #items = new Map<string, Item>()
  readonly #leases = new Map<string, Item>()
  #sweep = this.#items.entries()
  #tokens = 0

  constructor(clock: Pick<Clock, 'now'>, feed: MemoryFeed) {
    this.#clock = clock
    this.feed = feed
  }

  get size(): number {
    return this.#items.size
  }

  read(key: string): string | null {
    return this.#live(this.#items, key)
  }

  /** A ttl of zero, below or NaN has run out already: what was there is gone too. */
  write(key: string, value: string, ttl = Infinity): void {
    this.#sweepSome()
    if (ttl > 0) this.#items.set(key, { value, expiresAt: this.#clock.now() + Math.ceil(ttl) })
    else this.#items.delete(key)
  }

  delete(key: string): void {
    this.#items.delete(key)
  }

  *keys(prefix: string): Generator<string> {
    for (const key of this.#items.keys()) {
      if (key.startsWith(prefix) && this.read(key) !== null) yield key
    }
  }

  acquire(key: string, ttl: number): string | null {
    if (this.#live(this.#leases, key) !== null) return null
    this.#tokens += 1
    const token = `lease-${this.#tokens}`
    this.#leases.set(key, { value: token, expiresAt: this.#clock.now() + Math.ceil(ttl) })
    return token
  }

  renew(key: string, token: string, ttl: number): boolean {
    if (this.#live(this.#leases, key) !== token) return false
    this.#leases.set(key, { value: token, expiresAt: this.#clock.now() + Math.ceil(ttl) })
    return true
  }

  release(key: string, token: string): void {
    if (this.#leases.get(key)?.value === token) this.#leases.delete(key)
  }

  clear(): void {
    this.#items.clear()
    this.#leases.clear()
    this.feed.clear()
  }

  #live(items: Map<string, Item>, key: string): string | null {
    const item = items.get(key)
    if (item === undefined) return null
    if (item.expiresAt > this.#clock.now()) return item.value
    items.delete(key)
    return null
  }

  #sweepSome(): void {
    const now = this.#clock.now()
    for (let looked = 0; looked < SWEPT_PER_WRITE; looked += 1) {
      const next = this.#sweep.next()
      if (next.done === true) {
        this.#sweep = this.#items.entries()
        return
      }
      const [key, item] = next.value
      if (item.expiresAt <= now) this.#items.delete(key)
    }
  }
}
