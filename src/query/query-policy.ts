/**
 * What a query keeps of its last user's options, for the refetches that have none of their own: how it is fetched, apart
 * from its key and its function, and apart from what concerned that one call (`signal`). Pure.
 *
 * Many queries are fetched in one and the same way, so a policy is shared with the query before it where it is equal.
 */

import type { BaseQueryOptions } from './query-options.ts'

export type QueryPolicy = Readonly<Omit<BaseQueryOptions<unknown, never>, 'queryKey' | 'queryFn' | 'signal'>>

/** What is compared below. */
const COMPARED: Record<keyof QueryPolicy, true> = {
  staleTime: true,
  gcTime: true,
  storageTtl: true,
  retry: true,
  retryDelay: true,
  whenStale: true,
  storage: true,
  fetchTimeout: true,
  meta: true,
  validate: true,
  initialData: true,
  initialDataUpdatedAt: true,
  onSuccess: true,
  onError: true,
  onSettled: true,
}
const NAMES = Object.keys(COMPARED) as (keyof QueryPolicy)[]

/** That of a user who asks for nothing. */
export const NO_POLICY: QueryPolicy = Object.freeze({})

/** The policy of `options`: `last` itself where that is equal to it. */
export function policyOf(options: QueryPolicy, last: QueryPolicy): QueryPolicy {
  if (isSamePolicy(options, last)) return last
  if (isSamePolicy(options, NO_POLICY)) return NO_POLICY
  const policy: Record<string, unknown> = {}
  for (const name of NAMES) if (options[name] !== undefined) policy[name] = options[name]
  return policy
}

/** Written out: it is part of every miss. */
function isSamePolicy(a: QueryPolicy, b: QueryPolicy): boolean {
  return (
    a.staleTime === b.staleTime &&
    a.gcTime === b.gcTime &&
    a.storageTtl === b.storageTtl &&
    a.retry === b.retry &&
    a.retryDelay === b.retryDelay &&
    a.whenStale === b.whenStale &&
    a.storage === b.storage &&
    a.fetchTimeout === b.fetchTimeout &&
    a.meta === b.meta &&
    a.validate === b.validate &&
    a.initialData === b.initialData &&
    a.initialDataUpdatedAt === b.initialDataUpdatedAt &&
    a.onSuccess === b.onSuccess &&
    a.onError === b.onError &&
    a.onSettled === b.onSettled
  )
}
