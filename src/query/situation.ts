/**
 * What a state says beside data and date. A cache has many queries and few situations: those at rest share them, and
 * those that are fetched without trouble. Pure.
 */

import { type Activity, AT_REST, type DataSource, FIRST_FETCH, type Held } from './query-state.ts'

export type Situation = Pick<Held, 'source' | 'isInvalidated' | 'activity'>

type Shared = Readonly<Record<DataSource | 'none', Situation>>

const VALID = shared(false, AT_REST)
const INVALIDATED = shared(true, AT_REST)
const FETCHING = shared(false, FIRST_FETCH)
const FETCHING_INVALIDATED = shared(true, FIRST_FETCH)

/** Of a query that nothing was done with yet. */
export const UNTOUCHED: Situation = VALID.none

export function situationOf({ source, isInvalidated, activity }: Situation): Situation {
  if (activity === AT_REST) return of(source, isInvalidated ? INVALIDATED : VALID)
  if (activity === FIRST_FETCH) return of(source, isInvalidated ? FETCHING_INVALIDATED : FETCHING)
  return { source, isInvalidated, activity }
}

/** The most frequent by their names: a look-up by any of six is slower. */
function of(source: DataSource | null, among: Shared): Situation {
  if (source === null) return among.none
  if (source === 'storage') return among.storage
  return source === 'origin' ? among.origin : among[source]
}

export function isSameSituation(a: Situation, b: Situation): boolean {
  return a.source === b.source && a.isInvalidated === b.isInvalidated && a.activity === b.activity
}

function shared(isInvalidated: boolean, activity: Activity): Shared {
  const from = (source: DataSource | null): Situation => ({ source, isInvalidated, activity })
  return {
    none: from(null),
    origin: from('origin'),
    storage: from('storage'),
    manual: from('manual'),
    initial: from('initial'),
    placeholder: from('placeholder'),
  }
}
