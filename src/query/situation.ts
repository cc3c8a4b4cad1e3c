/**
 * What a state says beside data and date. A cache has many queries and few situations: those at rest share them. Pure.
 */

import { AT_REST, type DataSource, type Held } from './query-state.ts'

export type Situation = Pick<Held, 'source' | 'isInvalidated' | 'activity'>

type Shared = Readonly<Record<DataSource | 'none', Situation>>

const VALID = shared(false)
const INVALIDATED = shared(true)

/** Of a query that nothing was done with yet. */
export const UNTOUCHED: Situation = VALID.none

export function situationOf({ source, isInvalidated, activity }: Situation): Situation {
  if (activity !== AT_REST) return { source, isInvalidated, activity }
  return (isInvalidated ? INVALIDATED : VALID)[source ?? 'none']
}

export function isSameSituation(a: Situation, b: Situation): boolean {
  return a.source === b.source && a.isInvalidated === b.isInvalidated && a.activity === b.activity
}

function shared(isInvalidated: boolean): Shared {
  const from = (source: DataSource | null): Situation => ({ source, isInvalidated, activity: AT_REST })
  return {
    none: from(null),
    origin: from('origin'),
    storage: from('storage'),
    manual: from('manual'),
    initial: from('initial'),
    placeholder: from('placeholder'),
  }
}
