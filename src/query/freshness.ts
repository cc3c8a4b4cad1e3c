/** Whether data may be served without asking again. Pure. */

import type { Held } from './query-state.ts'

/** What freshness depends on: of a query, or of one of its states. */
export type Dated = Pick<Held, 'data' | 'dataUpdatedAt' | 'isInvalidated'>

/**
 * Fresh: there is data, nobody has invalidated it, and it is younger than `staleTime` milliseconds.
 * `staleTime: 0` is never fresh, also where the clock has stepped back behind the data; `Infinity` is fresh until invalidated.
 */
export function isFresh(held: Dated, staleTime: number, now: number): boolean {
  return held.data !== undefined && !held.isInvalidated && Math.max(0, now - held.dataUpdatedAt) < staleTime
}
