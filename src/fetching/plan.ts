/** Decisions of a fetch, apart from what carries them out. Pure. */

import { type Dated, isFresh } from '../query/freshness.ts'
import type { StoredData } from '../tier/look.ts'

/** `serve`: L1 answers. `refresh`: L1 answers and a fetch runs behind it. `wait`: the caller waits for a fetch. */
export type CallPlan = 'serve' | 'refresh' | 'wait'

export function planCall(held: Dated, staleTime: number, whenStale: 'serve' | 'wait', now: number): CallPlan {
  if (isFresh(held, staleTime, now)) return 'serve'
  return held.data !== undefined && whenStale === 'serve' ? 'refresh' : 'wait'
}

/**
 * What becomes of an answer from L2. `ignore`: L1 has got something at least as new in the meantime. `settle`: it is
 * fresh, no origin is asked. `refresh`: it is served and the origin is asked.
 */
export type StoragePlan = 'ignore' | 'settle' | 'refresh'

export function planStored(held: Dated, stored: StoredData, staleTime: number, now: number): StoragePlan {
  if (held.data !== undefined && held.dataUpdatedAt >= stored.dataUpdatedAt) return 'ignore'
  const isStoredFresh = !stored.isInvalidated && now - stored.dataUpdatedAt < staleTime
  return isStoredFresh ? 'settle' : 'refresh'
}
