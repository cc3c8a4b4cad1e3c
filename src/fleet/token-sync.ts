/**
 * Coherence of L1 over a store that has no change feed: its generations are looked at every `syncInterval`.
 *
 * Every invalidation also replaces one token of the whole namespace, after those of its slots. As long as that one is
 * as it was, nothing has been invalidated, so an idle worker reads one key per interval. When it has changed, the
 * tokens of all that L1 holds are read and compared with those under which each entry was got.
 *
 * One look is under way at a time; it is made while there is anything in L1 to look after. Owns the alarm of the next.
 */

import type { QueryCache } from '../memory/query-cache.ts'
import type { Query } from '../query/query.ts'
import type { Alarm, TimerQueue } from '../resilience/timer-queue.ts'
import type { StorageTier } from '../tier/storage-tier.ts'

export interface TokenSyncSettings {
  readonly cache: QueryCache
  readonly tier: StorageTier
  readonly timers: TimerQueue
  /** Milliseconds. */
  readonly interval: number
  readonly onInvalidated: (query: Query, kind: 'hard' | 'soft') => void
  /** Nothing can be said of it: it may have been removed. */
  readonly onUnknown: (query: Query) => void
}

export class TokenSync {
  readonly #settings: TokenSyncSettings
  #seen: string | null | undefined = undefined
  #alarm: Alarm | null = null
  #isClosed = false

  constructor(settings: TokenSyncSettings) {
    this.#settings = settings
    this.#schedule()
  }

  close(): void {
    this.#isClosed = true
    if (this.#alarm !== null) this.#settings.timers.cancel(this.#alarm)
  }

  #schedule(): void {
    const { timers, interval } = this.#settings
    if (this.#isClosed) return
    this.#alarm = timers.after(interval, async () => {
      await this.#look()
      this.#schedule()
    })
  }

  async #look(): Promise<void> {
    const { cache, tier } = this.#settings
    if (cache.size === 0) {
      // What comes next is read from L2 or newer than this moment; but what was seen says nothing of then.
      this.#seen = undefined
      return
    }
    const token = await tier.readNamespaceToken()
    if (token === undefined) return
    // A token that the store has lost may have been a newer one.
    const isSame = token !== null && token === this.#seen
    if (isSame) return
    const held = cache.under([]).filter((query) => query.data !== undefined && query.policy.storage !== false)
    const generations = await tier.readGenerations(held)
    if (generations === null) return
    for (const [i, query] of held.entries()) {
      const { vouchers } = query
      const current = generations[i]
      if (!query.isCached) continue
      if (vouchers === null || current === null || current === undefined) this.#settings.onUnknown(query)
      else if (current.hard !== vouchers.hard) this.#settings.onInvalidated(query, 'hard')
      else if (current.soft !== vouchers.soft) this.#settings.onInvalidated(query, 'soft')
    }
    this.#seen = token
  }
}
