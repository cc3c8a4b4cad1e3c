/**
 * One life of one worker: a client with its own clock, its own port to the store and its own origin, from its start to
 * its crash or close. After a crash nothing of it goes on: its timers are gone, no answer reaches it, and what it had
 * sent still takes effect.
 */

import { type Clock, QueryClient, type StorageBackend } from '../../src/index.ts'
import type { Author, Datum } from './ledger.ts'
import { KEYS, type KeyClass, type Setting } from './schedule.ts'
import type { Hearing } from './simulated-log.ts'
import type { Port, PortUser } from './simulated-store.ts'
import { RETRY_DELAY, STORAGE_TIMEOUT } from './timing.ts'
import type { Weather } from './weather.ts'

/** What outlives a restart. */
export interface Slot {
  readonly index: number
  skew: number
  weather: { kind: Weather; on: KeyClass }
  /** Since when it is calm. */
  calmSince: number
  hearing: Hearing
  life: number
}

/** What L1 held when last looked at. */
export interface Seen {
  readonly datum: Datum
  readonly updatedAt: number
  readonly isInvalidated: boolean
}

export interface LifeHost {
  readonly base: Clock
  readonly makePort: (user: PortUser, hasBatches: boolean) => Port
  readonly onChange: (life: Incarnation) => void
  readonly onAsk: (life: Incarnation, key: string) => void
  readonly onSend: (value: string) => void
  readonly onTimers: (life: Incarnation, pending: number) => void
}

export class Incarnation implements PortUser, Author {
  readonly name: string
  readonly slot: Slot
  readonly port: Port
  readonly client: QueryClient
  isAlive = true
  isClosing = false
  /** What ends the subscriptions of its observers. */
  readonly watching: (() => void)[] = []
  /** By key: see `Seen`. */
  readonly seen: (Seen | null)[] = KEYS.map(() => null)
  /** By key: the latest invalidation called here. */
  readonly hardAt: number[] = KEYS.map(() => 0)
  readonly softAt: number[] = KEYS.map(() => 0)
  /** By key: the moments at which L2 was consulted lately. */
  readonly asked: { seq: number; at: number }[][] = KEYS.map(() => [])
  /** By key: origin calls that run. */
  readonly running: number[] = KEYS.map(() => 0)
  /** By key: when the last origin call began, or the one that it repeats: a lease is asked for once, before the first. */
  readonly claimedAt: number[] = KEYS.map(() => -1)
  /** By key: until then a failed origin call may be waiting to be tried again. */
  readonly retriesUntil: number[] = KEYS.map(() => -1)
  readonly originEndedAt: number[] = KEYS.map(() => -1)
  /** By key: what the store may hold of it in the end, by its last word; `null` stands for nothing. */
  readonly lastWords: (ReadonlySet<Datum | null> | null)[] = KEYS.map(() => null)
  /** By key: all it ever wrote. */
  readonly words: Set<Datum | null>[] = KEYS.map(() => new Set())
  /** The last moment at which its callers may have been turned away. */
  cancelledAt = 0
  /** Bits by key: something has happened that may have changed what L1 holds of it. */
  touched = 0
  /** Invalidations of which it is not yet known that L2 has them. */
  unacknowledged = 0
  /** Invalidations of which it is not yet known that the log has them. */
  untold = 0
  /** By key: the origin call that runs was made while all was well with the store. */
  readonly isSound: boolean[] = KEYS.map(() => false)
  /** Something of it was or is observed, so that it refetches whatever leases there are. */
  hasWatched = false
  isSuspended = false
  /** When it was last suspended; once it is awake again, since when it is. */
  suspendedAt = -1
  /** When its last suspension began; of several in a row, the first. */
  stoppedAt = -1
  /** What came while it was: its own timers, and answers and messages of the store. */
  #due: { readonly isTimer: boolean; readonly run: () => void }[] = []
  readonly #host: LifeHost
  readonly #timers = new Map<unknown, unknown>()

  constructor(slot: Slot, setting: Setting, host: LifeHost) {
    this.slot = slot
    this.name = `${'ABC'[slot.index]}${slot.life}`
    this.#host = host
    this.port = host.makePort(this, setting.hasBatches[slot.index] === true)
    this.client = new QueryClient({
      storage: this.port as StorageBackend,
      storageTimeout: STORAGE_TIMEOUT,
      storageTtl: setting.storageTtl,
      gcTime: setting.gcTime,
      cacheMaxSize: setting.cacheMaxSize,
      retry: 1,
      retryDelay: RETRY_DELAY,
      logger: SILENT,
      clock: this.#clock(),
    })
  }

  get weather(): Slot['weather'] {
    return this.slot.weather
  }

  get hearing(): Hearing {
    return this.slot.hearing
  }

  whenAwake(run: () => void): void {
    if (this.isSuspended) this.#due.push({ isTimer: false, run })
    else run()
  }

  onHeard(): void {
    this.touched = (1 << KEYS.length) - 1
    this.#host.onChange(this)
  }

  /** What it has asked L2 since then may be answered now: what it got before it was stopped may be seen when it goes on. */
  awaitsSince(now: number): number {
    const lately = now - STORAGE_TIMEOUT
    const hasGoneOn = !this.isSuspended && this.suspendedAt < lately
    return hasGoneOn ? lately : Math.min(lately, this.stoppedAt - STORAGE_TIMEOUT)
  }

  suspend(): void {
    const now = this.#host.base.now()
    this.stoppedAt = this.awaitsSince(now) + STORAGE_TIMEOUT
    this.isSuspended = true
    this.suspendedAt = now
  }

  /** Everything that came meanwhile comes now, one after the other. */
  wake(areTimersFirst: boolean): void {
    if (!this.isSuspended) return
    this.isSuspended = false
    this.suspendedAt = this.#host.base.now()
    const due = this.#due
    this.#due = []
    const rank = ({ isTimer }: { isTimer: boolean }): number => (isTimer && areTimersFirst ? 0 : 1)
    due.sort((a, b) => rank(a) - rank(b))
    for (const { run } of due) {
      const goOn = (): void => {
        if (this.isAlive) this.whenAwake(run)
      }
      this.#host.base.setTimeout(goOn, 0)
    }
  }

  get pendingTimers(): number {
    return this.#timers.size
  }

  get dropped(): number {
    return this.client.stats().storage?.dropped ?? 0
  }

  onAnswer(): void {
    const since = this.#host.base.now() - STORAGE_TIMEOUT
    for (let k = 0; k < KEYS.length; k++) {
      if ((this.asked[k]?.at(-1)?.at ?? 0) >= since) this.touched |= 1 << k
    }
    this.#host.onChange(this)
  }

  onAsk(key: string): void {
    this.#host.onAsk(this, key)
  }

  onSend(value: string): void {
    this.#host.onSend(value)
  }

  say(k: number, ...words: (Datum | null)[]): void {
    this.lastWords[k] = new Set(words)
    for (const word of words) this.words[k]?.add(word)
  }

  crash(): void {
    this.isAlive = false
    for (const handle of this.#timers.values()) this.#host.base.clearTimeout(handle)
    this.#timers.clear()
  }

  #clock(): Clock {
    const { base } = this.#host
    return {
      now: () => base.now() + this.slot.skew,
      monotonic: () => base.now(),
      setTimeout: (run, delay) => {
        if (!this.isAlive) return undefined
        const mine = {}
        const ring = (): void => {
          // It was cleared while its process stood still.
          if (!this.#timers.delete(mine)) return
          this.#host.onChange(this)
          run()
        }
        const due = (): void => {
          if (this.isSuspended) this.#due.push({ isTimer: true, run: ring })
          else ring()
        }
        const handle = base.setTimeout(due, delay)
        this.#timers.set(mine, handle)
        this.#host.onTimers(this, this.#timers.size)
        return mine
      },
      clearTimeout: (mine) => {
        base.clearTimeout(this.#timers.get(mine))
        this.#timers.delete(mine)
      },
    }
  }
}

const ignore = (): void => {}
const SILENT = { debug: ignore, info: ignore, warn: ignore, error: ignore }
