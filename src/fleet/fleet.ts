/**
 * All that makes many workers one: the peers, what is told to them, and the leases. Wires the parts of this folder to a
 * tier. Without a feed L1 is kept true by looking at generations now and then; without leases every worker calls the origin.
 *
 * The first reads wait until the feed is followed, or cannot be: what they bring would not be watched over.
 */

import { canonicalParts } from '../keys/hash-key.ts'
import type { QueryCache } from '../memory/query-cache.ts'
import type { Clock } from '../ports/clock.ts'
import type { StorageBackend } from '../ports/storage.ts'
import type { Query } from '../query/query.ts'
import type { SafeLogger } from '../resilience/safe-logger.ts'
import type { TimerQueue } from '../resilience/timer-queue.ts'
import type { StorageTier } from '../tier/storage-tier.ts'
import { Coherence, type CoherenceSettings } from './coherence.ts'
import { Outbox } from './outbox.ts'
import { Peers, type PeersStats } from './peers.ts'
import { SingleFlight } from './single-flight.ts'
import { TokenSync } from './token-sync.ts'
import { Vigil } from './vigil.ts'

/** Heartbeats of a feed that may fail to come before it is taken for cut off. */
const MISSED_HEARTBEATS = 3

export interface FleetSettings {
  readonly backend: StorageBackend
  readonly tier: StorageTier
  readonly cache: QueryCache
  readonly clock: Clock
  readonly timers: TimerQueue
  readonly logger: SafeLogger
  readonly namespace: string
  /**
   * Milliseconds. Where the store has no feed: between two looks at the generations. Where it has: how long L1 is believed
   * while nothing is heard of it.
   */
  readonly syncInterval: number
  readonly random: () => number
  readonly refresh: CoherenceSettings['refresh']
  readonly drop: CoherenceSettings['drop']
  readonly discard: CoherenceSettings['discard']
}

export interface FleetStats extends PeersStats {
  /** Messages that wait to be told. */
  untold: number
  /** Nothing has been heard of the feed for so long that L1 is no longer believed. */
  isCutOff: boolean
}

export class Fleet {
  readonly singleFlight: SingleFlight | null
  readonly #peers: Peers | null = null
  readonly #outbox: Outbox | null = null
  readonly #sync: TokenSync | null = null
  readonly #vigil: Vigil | null = null
  readonly #timers: TimerQueue
  readonly #tier: StorageTier
  #isReady = false
  #hasSensed = false
  /** What was set before the feed was followed: it may have been removed by somebody since. */
  readonly #unwatched = new Set<Query>()

  constructor(settings: FleetSettings) {
    const { backend, tier, cache, clock, timers, logger, namespace, syncInterval, random } = settings
    const { refresh, drop, discard } = settings
    const { feed, lease } = backend
    this.#timers = timers
    this.#tier = tier
    const now = (): number => clock.monotonic?.() ?? clock.now()
    this.singleFlight = lease === undefined ? null : new SingleFlight(tier, lease, timers, now)
    const { singleFlight } = this
    const coherence = new Coherence({ cache, tier, timers, random, singleFlight, refresh, drop, discard })
    if (feed === undefined) {
      const onInvalidated = (query: Query, kind: 'hard' | 'soft'): void => coherence.invalidated(query, kind)
      const onUnknown = (query: Query): void => coherence.forget(query)
      this.#sync = new TokenSync({ cache, tier, timers, interval: syncInterval, onInvalidated, onUnknown })
      tier.listener = {
        onPersisted: () => {},
        onInvalidated: async () => {},
        onReasserted: () => {},
      }
      return
    }
    const sender = { namespace, worker: workerName(random) }
    const outbox = new Outbox(tier, feed, sender, timers, random)
    if (feed.heartbeat !== undefined) {
      const patience = Math.max(syncInterval, MISSED_HEARTBEATS * feed.heartbeat)
      this.#vigil = new Vigil({
        timers,
        now,
        patience,
        onDoubt: (isFirst) => {
          if (isFirst && !tier.isAway) {
            logger.warn(`Nothing has been heard of the change feed for ${patience} ms; L1 is read again.`)
          }
          coherence.doubtAll()
        },
      })
    }
    const peers = new Peers({
      feed,
      sender,
      timers,
      logger,
      random,
      onMessage: (message) => coherence.apply(message),
      onHeard: (age) => this.#vigil?.heard(age),
      onGap: (mayHaveGoneBack) => {
        coherence.forgetAll()
        this.#unwatched.clear()
        // Not after any gap: it makes messages, and a log that is too short for them would have a gap again, and so on.
        if (mayHaveGoneBack) tier.reassert()
      },
      onFollowing: () => {
        const queries = [...this.#unwatched]
        this.#unwatched.clear()
        if (queries.length > 0) void coherence.verifyOrForget(queries)
      },
      isStoreAway: () => tier.isAway,
    })
    tier.listener = {
      onPersisted: ({ key }, dataUpdatedAt) => {
        outbox.postUpdate(canonicalParts(key), dataUpdatedAt)
      },
      onInvalidated: (keys, isExact, kind) => outbox.send({ type: 'invalidated', kind, isExact, keys }),
      onReasserted: () => {
        outbox.post({ type: 'lost' })
      },
    }
    this.#outbox = outbox
    this.#peers = peers
    void peers.ready.then(() => {
      this.#isReady = true
    })
  }

  /** Resolves when the feed is followed, or cannot be, or after `patience` milliseconds; at once, ever after. */
  async ready(patience: number): Promise<void> {
    if (this.#isReady || this.#peers === null) return
    // While L2 is away nobody waits for its feed either.
    if (patience > 0 && !this.#tier.isAway) {
      // Where L2 hangs, nobody is to wait for it once more after this.
      if (!this.#hasSensed) this.#tier.sense()
      this.#hasSensed = true
      await Promise.race([this.#peers.ready, this.#timers.sleep(patience)])
    }
    if (!this.#isReady) this.#peers.impatient()
    this.#isReady = true
  }

  /** Data that was not read from L2 has come into L1, and into L2. */
  hasSet(query: Query): void {
    if (this.#peers?.isJoining === true) this.#unwatched.add(query)
  }

  get isReady(): boolean {
    return this.#isReady || this.#peers === null
  }

  stats(): FleetStats | null {
    if (this.#peers === null) return null
    return {
      ...this.#peers.stats(),
      untold: this.#outbox?.size ?? 0,
      isCutOff: this.#vigil?.isDoubtful ?? false,
    }
  }

  /** Waits, `timeout` milliseconds at most, until the peers have been told of everything. */
  async flush(timeout: number): Promise<void> {
    if (this.#outbox === null || this.#outbox.size === 0) return
    // Somebody waits for it: the process must not end meanwhile.
    this.#timers.hold()
    await Promise.race([this.#outbox.idle(), this.#timers.sleep(timeout)])
    this.#timers.release()
  }

  close(): void {
    this.#vigil?.close()
    this.#peers?.close()
    this.#outbox?.close()
    this.#sync?.close()
  }
}

function workerName(random: () => number): string {
  return Array.from({ length: 4 }, () => Math.floor(random() * 0x1000000).toString(36)).join('')
}
