/** Which queries a call means: by key prefix, exact key, use, staleness or a predicate. Pure. */

import { InvalidOptionError } from '../errors.ts'
import { hashKey } from '../keys/hash-key.ts'
import type { QueryKey } from '../keys/query-key.ts'
import { assertFunction, assertOneOf, quoted } from './option-checks.ts'
import type { QueryState } from './query-view.ts'

export interface QueryFilter {
  /**
   * Matches the keys that begin with this one.
   * @default [] (every key)
   */
  queryKey?: QueryKey | undefined
  /**
   * Matches this very key only.
   * @default false
   */
  exact?: boolean | undefined
  /**
   * `'active'`: observed by an enabled observer; `'inactive'`: not.
   * @default 'all'
   */
  type?: 'all' | 'active' | 'inactive' | undefined
  /** Only stale queries (`true`), only fresh ones (`false`). */
  stale?: boolean | undefined
  /** Only queries for which it returns true. */
  predicate?:
    | ((query: { readonly queryKey: QueryKey; readonly state: QueryState<unknown> }) => boolean)
    | undefined
}

const KNOWN: readonly string[] = [
  'queryKey',
  'exact',
  'type',
  'stale',
  'predicate',
] satisfies (keyof QueryFilter)[]

/**
 * A filter in its long form.
 *
 * @throws InvalidOptionError (`INVALID_OPTION`), InvalidQueryKeyError (`INVALID_QUERY_KEY`)
 */
export function normalizedFilter(
  filter: QueryKey | QueryFilter | undefined,
): QueryFilter & { queryKey: QueryKey } {
  if (filter === undefined) return { queryKey: [] }
  if (Array.isArray(filter)) {
    hashKey(filter)
    return { queryKey: filter }
  }
  if (typeof filter !== 'object' || filter === null) {
    throw new InvalidOptionError(
      `Invalid filter: ${quoted(filter)}; expected a query key or a filter object.`,
    )
  }
  for (const name of Object.keys(filter)) {
    if (!KNOWN.includes(name)) {
      throw new InvalidOptionError(
        `Invalid filter: unknown property ${quoted(name)}; expected ${KNOWN.join(', ')}.`,
      )
    }
  }
  const { queryKey = [], exact, type, stale, predicate } = filter as QueryFilter
  hashKey(queryKey)
  assertOneOf('filter.exact', exact, [true, false])
  assertOneOf('filter.type', type, ['all', 'active', 'inactive'])
  assertOneOf('filter.stale', stale, [true, false])
  assertFunction('filter.predicate', predicate)
  if (exact === true && (filter as QueryFilter).queryKey === undefined) {
    throw new InvalidOptionError(
      'Invalid filter: exact is true without a queryKey; expected the key that is meant.',
    )
  }
  return { queryKey, exact, type, stale, predicate }
}

/** Whether the filter speaks of keys alone, so that it also says which entries of L2 it means. */
export function isKeyFilter(filter: QueryFilter): boolean {
  const isAnyType = filter.type === undefined || filter.type === 'all'
  return isAnyType && filter.stale === undefined && filter.predicate === undefined
}
