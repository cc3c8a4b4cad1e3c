/**
 * What is to be said of a query beside data and date: the rest of its state, and who uses it. A cache has many queries and
 * few situations: those at rest share them. A query that is in use has one of its own, and only such a one may be changed.
 */

import { type Activity, AT_REST, type DataSource, FIRST_FETCH, type Held } from './query-state.ts'
import type { OngoingFetch, QueryWatcher } from './query-use.ts'

export class Situation {
  source: DataSource | null
  isInvalidated: boolean
  activity: Activity
  fetch: OngoingFetch | null = null
  observers: Set<QueryWatcher> | null = null
  isPaused = false
  isDoubted = false

  constructor(source: DataSource | null, isInvalidated: boolean, activity: Activity) {
    this.source = source
    this.isInvalidated = isInvalidated
    this.activity = activity
  }

  /** It is that of one query alone, which is fetching, observed or paused. */
  get isOwn(): boolean {
    return this.fetch !== null || this.observers !== null || this.isPaused
  }

  /** Whether it says the same of the state. */
  says(held: Held): boolean {
    return (
      held.source === this.source &&
      held.isInvalidated === this.isInvalidated &&
      held.activity === this.activity
    )
  }
}

type Shared = Readonly<Record<DataSource | 'none', Situation>>

const VALID = shared(false, AT_REST)
const INVALIDATED = shared(true, AT_REST)
const FETCHING = shared(false, FIRST_FETCH)
const FETCHING_INVALIDATED = shared(true, FIRST_FETCH)

/** Of a query that nothing was done with yet. */
export const UNTOUCHED = VALID.none

/** That of a query that nobody uses, to be changed by nobody. */
export function situationOf(
  source: DataSource | null,
  isInvalidated: boolean,
  activity: Activity,
): Situation {
  if (activity === AT_REST) return of(source, isInvalidated ? INVALIDATED : VALID)
  // Its fetch has just left, with what it brings still to come.
  if (activity === FIRST_FETCH) return of(source, isInvalidated ? FETCHING_INVALIDATED : FETCHING)
  return new Situation(source, isInvalidated, activity)
}

/** The most frequent by their names: a look-up by any of six is slower. */
function of(source: DataSource | null, among: Shared): Situation {
  if (source === null) return among.none
  if (source === 'storage') return among.storage
  return source === 'origin' ? among.origin : among[source]
}

function shared(isInvalidated: boolean, activity: Activity): Shared {
  const from = (source: DataSource | null): Situation => new Situation(source, isInvalidated, activity)
  return {
    none: from(null),
    origin: from('origin'),
    storage: from('storage'),
    manual: from('manual'),
    initial: from('initial'),
    placeholder: from('placeholder'),
  }
}
