/**
 * The use of stackquery that the demo is about: airports are read through two tiers of cache, and updated.
 *
 * Owns its client, and through it the storage; `close` ends both.
 */

import {
  type Logger,
  type Mutation,
  QueryClient,
  type QueryKey,
  type QueryState,
  type StorageBackend,
} from 'stackquery'
import { moment } from './moment.ts'
import type { Airport } from './origin.ts'
import type { OriginClient } from './origin-client.ts'

export interface AirportCacheConfig {
  readonly origin: OriginClient
  /** L2; `undefined`: L1 alone. */
  readonly storage: StorageBackend | undefined
  /** Keeps one run apart from the others on the same L2. */
  readonly namespace: string
  readonly logger: Logger
}

/** A removal or invalidation that has resolved. */
export interface Forgotten {
  readonly calledAt: number
  /** L2 has it; otherwise it holds here, and elsewhere once it has been replayed. */
  readonly isInL2: boolean
}

/** `'remove'`: nobody gets older data any more. `'invalidate'`: older data may be served while it is refreshed. */
export type AfterUpdate = 'remove' | 'invalidate'

export interface DelayUpdate {
  readonly icao: string
  readonly minutes: number
  readonly afterwards: AfterUpdate
}

const STORAGE_TIMEOUT = 250

export class AirportCache {
  readonly client: QueryClient
  readonly #origin: OriginClient
  readonly #forgotten = new WeakMap<DelayUpdate, Forgotten>()
  readonly #delays: Mutation<DelayUpdate, Airport>

  constructor({ origin, storage, namespace, logger }: AirportCacheConfig) {
    this.#origin = origin
    this.client = new QueryClient({
      storage,
      namespace,
      logger,
      staleTime: 2_000,
      storageTimeout: STORAGE_TIMEOUT,
      // In L2 for a minute, so that a Redis of yours is not left full of airports.
      gcTime: 60_000,
      // Far fewer than there are airports: L1 holds the popular ones, L2 the rest.
      cacheMaxSize: 300,
      retry: 3,
      retryDelay: (attempt) => 50 * 2 ** attempt,
    })
    this.#delays = this.client.mutation({
      mutationFn: ({ icao, minutes }) => origin.setDelay(icao, minutes),
      retry: 3,
      // Into L1 alone: the other workers are to see what the origin has confirmed, and nothing else.
      onMutate: ({ icao, minutes }) => {
        this.client.setQueryData<Airport>(
          keyOf(icao),
          (held) => held && { ...held, delay: minutes, isOptimistic: true },
          { storage: false },
        )
      },
      onSuccess: (confirmed, { icao, afterwards }) => {
        if (afterwards === 'remove') return
        this.client.setQueryData<Airport>(
          keyOf(icao),
          // Two updates of one airport may be answered in the other order.
          (held) => (held === undefined || held.version > confirmed.version ? undefined : confirmed),
          { storage: false },
        )
      },
      // What has failed is removed whatever was asked for: that is the rollback.
      onSettled: async (_confirmed, error, update) => {
        this.#forgotten.set(update, await this.forget(update.icao, error ? 'remove' : update.afterwards))
      },
    })
  }

  /** The codes of all airports, the popular ones first. */
  codes(): Promise<string[]> {
    return this.client.fetchQuery({
      queryKey: ['codes'],
      queryFn: ({ signal }) => this.#origin.codes(signal),
      staleTime: Number.POSITIVE_INFINITY,
    })
  }

  airport(icao: string): Promise<Airport> {
    return this.client.fetchQuery({
      queryKey: keyOf(icao),
      queryFn: ({ signal }) => this.#origin.airport(icao, signal),
    })
  }

  /** What L1 holds. */
  held(icao: string): QueryState<Airport> | undefined {
    return this.client.getQueryState(keyOf(icao))
  }

  /** Looks on, at every change, and fetches nothing for it; returns the function that ends it. */
  watch(icao: string, listener: (state: QueryState<Airport>) => void): () => void {
    return this.client.watch<Airport>({ queryKey: keyOf(icao), enabled: false }).subscribe(listener)
  }

  /** Resolves to the confirmed record once the origin has it and L2 has the invalidation, or is given up on. */
  async setDelay(update: DelayUpdate): Promise<{ confirmed: Airport; forgotten: Forgotten | undefined }> {
    const confirmed = await this.#delays.mutate(update)
    return { confirmed, forgotten: this.#forgotten.get(update) }
  }

  async forget(icao: string, how: AfterUpdate): Promise<Forgotten> {
    const filter = { queryKey: keyOf(icao), exact: true }
    const calledAt = moment()
    const wasThere = this.isStorageThere
    await (how === 'remove' ? this.client.removeQueries(filter) : this.client.invalidateQueries(filter))
    const isInTime = moment() - calledAt < STORAGE_TIMEOUT
    return { calledAt, isInL2: wasThere && this.isStorageThere && isInTime }
  }

  get isStorageThere(): boolean {
    return this.client.stats().storage?.circuit === 'closed'
  }

  /** Resolves when L2 has everything; an L2 that is away is waited for a second. */
  close(): Promise<void> {
    return this.client.close({ timeout: 1_000 })
  }
}

function keyOf(icao: string): QueryKey {
  return ['airport', icao]
}
