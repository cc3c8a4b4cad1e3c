/**
 * One worker's traffic: visitors who each read an airport, and now and then one who updates it. Every answer is timed,
 * told apart by its source, and checked.
 *
 * Beside the cache with L2 stands one without it, which is asked the same: what the origin has to do for it is what it
 * would have to do for workers with separate caches.
 *
 * States: open → running → closed, by `open`, `run` and `close`. Owns both caches and the visits under way.
 */

import type { Logger } from 'stackquery'
import { AirportCache, type DelayUpdate, type Forgotten } from './airport-cache.ts'
import { AnswerCheck } from './check.ts'
import type { Account, Answer, Invalidation } from './fleet-check.ts'
import { record } from './latencies.ts'
import { moment } from './moment.ts'
import type { StorageChoice } from './options.ts'
import type { Airport } from './origin.ts'
import { OriginClient } from './origin-client.ts'
import { Sightings } from './sightings.ts'
import { openStorage } from './storage.ts'
import { countAnswer, countText, emptyTally, type Source, type Tally } from './tally.ts'
import { Popularity, visitors } from './traffic.ts'

export interface ReaderSettings {
  readonly originUrl: string
  readonly secret: string
  readonly storage: StorageChoice
  readonly namespace: string
  readonly visitors: number
  /** What this worker had removed before it was killed, by airport: the version that the removal was for. */
  readonly removed: ReadonlyMap<string, number>
}

/** What a reader has to tell: the tally is new since the last report, the counters are since its start. */
export interface Report {
  readonly tally: Tally
  readonly removed: ReadonlyMap<string, number>
  readonly counters: Counters
  readonly account: Account
}

export interface Counters {
  readonly staleServes: number
  readonly joins: number
  /** Of the first answers that L1 did not have: how many there were, at most `FIRST`, and how many came from L2. */
  readonly first: { readonly count: number; readonly fromL2: number }
  readonly l2: {
    readonly isAway: boolean
    readonly outages: number
    readonly pending: number
    readonly dropped: number
  }
}

export const FIRST = 100
/** The popular airports whose copies in memory are watched. */
export const WATCHED = 200
const UPDATE_SHARE = 0.03
/** Milliseconds. */
const THINKING = 200

export class Reader {
  readonly #settings: ReaderSettings
  readonly #origin: OriginClient
  readonly #cache: AirportCache
  readonly #separate: AirportCache
  readonly #check: AnswerCheck
  readonly #stop = new AbortController()
  #sightings: Sightings | undefined
  #invalidations: Invalidation[] = []
  #answers: Answer[] = []
  #disturbances = 0
  #codes: readonly string[] = []
  #running: Promise<void> | undefined
  #tally = emptyTally()
  #first = { count: 0, fromL2: 0 }

  constructor(settings: ReaderSettings, logger: Logger) {
    const { originUrl, secret, storage, namespace, removed } = settings
    this.#settings = settings
    this.#origin = new OriginClient(originUrl, 'shared')
    this.#cache = new AirportCache({
      origin: this.#origin,
      storage: openStorage(storage),
      namespace,
      logger,
    })
    this.#separate = new AirportCache({
      origin: new OriginClient(originUrl, 'separate'),
      storage: undefined,
      namespace,
      logger: { warn: ignore, error: ignore },
    })
    this.#check = new AnswerCheck(secret, removed)
  }

  async open(): Promise<void> {
    this.#codes = await this.#cache.codes()
  }

  run(): void {
    const popularity = new Popularity(this.#codes.length)
    this.#sightings = new Sightings(this.#cache, this.#codes.slice(0, WATCHED))
    this.#running = visitors(this.#settings.visitors, THINKING, this.#stop.signal, () => {
      const icao = this.#codes[popularity.pick()] as string
      return Math.random() < UPDATE_SHARE ? this.#update(icao) : this.#read(icao)
    })
  }

  /** Ends when those who still wait have their answers. */
  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  async close(): Promise<void> {
    this.#sightings?.end()
    await Promise.all([this.#cache.close(), this.#separate.close()])
  }

  report(): Report {
    const { staleServes, joins, storage } = this.#cache.client.stats()
    const { outages = 0, pending = 0, dropped = 0, circuit = 'closed' } = storage ?? {}
    const tally = this.#tally
    this.#tally = emptyTally()
    return {
      tally,
      // What L2 has not taken yet dies with the process; a removal that it has taken does not.
      removed: pending === 0 ? this.#check.takeRemoved() : new Map(),
      counters: {
        staleServes,
        joins,
        first: { ...this.#first },
        l2: { isAway: circuit !== 'closed', outages, pending, dropped },
      },
      account: this.#takeAccount(),
    }
  }

  #takeAccount(): Account {
    const { storage, fleet } = this.#cache.client.stats()
    const disturbances = (storage?.outages ?? 0) + (fleet?.gaps ?? 0)
    const isAway = !this.#cache.isStorageThere || fleet?.isFollowing !== true
    const account: Account = {
      at: moment(),
      invalidations: this.#invalidations,
      answers: this.#answers,
      sightings: this.#sightings?.take() ?? [],
      isDisturbed: isAway || disturbances > this.#disturbances,
    }
    this.#disturbances = disturbances
    this.#invalidations = []
    this.#answers = []
    return account
  }

  async #read(icao: string): Promise<void> {
    const expected = this.#check.expect(icao)
    const held = this.#cache.held(icao)
    const calledAt = moment()
    const startedAt = performance.now()
    let airport: Airport
    try {
      airport = await this.#cache.airport(icao)
    } catch (error) {
      countText(this.#tally.errors, String(error))
      return
    }
    const latency = performance.now() - startedAt
    const isHeld = held?.hasData === true
    const source = isHeld ? (held.isStale ? 'L1 stale' : 'L1 fresh') : this.#sourceOf(airport)
    countAnswer(this.#tally, source, latency)
    if (!isHeld && this.#first.count < FIRST) {
      this.#first.count++
      if (source === 'L2') this.#first.fromL2++
    }
    if (airport.isOptimistic) this.#tally.optimistic++
    if (expected.leastFresh > 0) this.#tally.afterUpdate++
    const now = this.#cache.held(icao)
    if (airport.isOptimistic !== true)
      this.#answers.push({
        icao,
        version: airport.version,
        calledAt,
        // A refresh that was begun meanwhile may have replaced what was served.
        isFresh: isHeld ? !held.isStale : now?.data === airport && !now.isInvalidated,
        isAsked: !isHeld && (held === undefined || held.isIdle),
      })
    const violation = this.#check.judge(expected, airport, source)
    if (violation !== undefined) countText(this.#tally.violations, violation)
    await this.#separate.airport(icao).catch(ignore)
  }

  async #update(icao: string): Promise<void> {
    const minutes = Math.floor(Math.random() * 180)
    const update: DelayUpdate = { icao, minutes, afterwards: Math.random() < 0.5 ? 'remove' : 'invalidate' }
    this.#check.updateBegins(icao)
    const startedAt = performance.now()
    let confirmed: Airport | undefined
    try {
      const updated = await this.#cache.setDelay(update)
      confirmed = updated.confirmed
      record(this.#tally.updates, performance.now() - startedAt)
      if (updated.forgotten?.isInL2 === true) this.#noteInvalidation(update, confirmed, updated.forgotten)
    } catch (error) {
      countText(this.#tally.errors, String(error))
    }
    this.#check.updateEnds(icao, update.afterwards, confirmed)
    await this.#separate.forget(icao, update.afterwards)
    // Who has changed something looks at it.
    await this.#read(icao)
  }

  #noteInvalidation({ icao, afterwards }: DelayUpdate, { version }: Airport, { calledAt }: Forgotten): void {
    this.#invalidations.push({ icao, how: afterwards, version, calledAt, acknowledgedAt: moment() })
  }

  /** An object that came over HTTP here is the origin's; L2 makes a new one of what it holds. */
  #sourceOf(airport: Airport): Source {
    return this.#origin.hasDelivered(airport) ? 'origin' : 'L2'
  }
}

function ignore(): void {}
