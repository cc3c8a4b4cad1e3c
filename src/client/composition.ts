/** Queries in company: side by side, one after the other, as functions, and as reusable options. */

import { InvalidOptionError } from '../errors.ts'
import { hashKey } from '../keys/hash-key.ts'
import type { QueryKey } from '../keys/query-key.ts'
import { assertObject, quoted } from '../query/option-checks.ts'
import type { QueryClient, QueryObserverOptions, QueryOptions } from './query-client.ts'
import { giveMemory } from './remembered-query.ts'
import type { TaggedKey } from './tagged-key.ts'

/** The type of the data that options lead to: as their key knows it, else as their function gives it. */
type DataOf<O> = O extends { queryKey: TaggedKey<infer T> }
  ? T
  : O extends { queryFn: (...given: never[]) => infer R }
    ? Awaited<R>
    : O extends QueryOptions<infer T>
      ? T
      : unknown

/** Refuses options that do not exist, which a type parameter alone would let pass. */
type Known<O> = O & { readonly [K in Exclude<keyof O, keyof QueryObserverOptions<unknown>>]: never }

/** Fetches all at once; rejects with the first failure. The result is a tuple in the order of the options. */
// biome-ignore lint/suspicious/noExplicitAny: any other type would fix what the functions' own types are to say
export function parallelQueries<O extends readonly QueryOptions<any>[]>(
  client: QueryClient,
  ...options: { [I in keyof O]: Known<O[I]> }
): Promise<{ -readonly [I in keyof O]: DataOf<O[I]> }> {
  return Promise.all(options.map((each) => client.fetchQuery(each))) as never
}

/** Fetches one query, and with its data the one that depends on it. */
export async function dependentQuery<T, U, P = T, Q = U>(
  client: QueryClient,
  options: { dependsOn: QueryOptions<T, P>; then: (data: T) => QueryOptions<U, Q> },
): Promise<U> {
  assertObject('options', options)
  const { dependsOn, then } = options
  if (typeof then !== 'function')
    throw new InvalidOptionError(`Invalid then: ${quoted(then)}; expected a function.`)
  return client.fetchQuery(then(await client.fetchQuery(dependsOn)))
}

/** A function whose results are cached: what `query` makes. */
export interface CachedQuery<A extends unknown[], T> {
  (...args: A): Promise<T>
  /** Makes the result for these arguments stale, everywhere. */
  invalidate(...args: A): Promise<void>
  /** What L1 holds for these arguments. */
  getData(...args: A): T | undefined
  /** The options of the query behind these arguments, for `watch` and the rest. */
  options(...args: A): QueryOptions<T> & { queryKey: TaggedKey<T> }
}

/**
 * Makes a caching function of a plain one: `query(client, (id: number) => ['user', id])(getUser)`. The key says which
 * calls are the same.
 */
export function query<K extends unknown[] = []>(
  client: QueryClient,
  key: QueryKey | ((...args: K) => QueryKey),
  options: Omit<QueryOptions<never>, 'queryKey' | 'queryFn'> = {},
): <A extends K, T>(fn: (...args: A) => T | PromiseLike<T>) => CachedQuery<A, T> {
  return <A extends K, T>(fn: (...args: A) => T | PromiseLike<T>) => {
    const optionsOf = (...args: A): QueryOptions<T> & { queryKey: TaggedKey<T> } => ({
      ...(options as Omit<QueryOptions<T>, 'queryKey' | 'queryFn'>),
      queryKey: (typeof key === 'function' ? key(...args) : key) as TaggedKey<T>,
      queryFn: () => fn(...args),
    })
    // Async, so that a key that throws rejects as everything else does.
    return Object.assign(async (...args: A) => client.fetchQuery(optionsOf(...args)), {
      invalidate: (...args: A) =>
        client.invalidateQueries({ queryKey: optionsOf(...args).queryKey, exact: true }),
      getData: (...args: A) => client.getQueryData(optionsOf(...args).queryKey) as T | undefined,
      options: optionsOf,
    })
  }
}

/**
 * The same options, checked, with a key that knows the type of its data: `client.getQueryData(o.queryKey)` is typed. They
 * remember where they led to, so calls that reuse them are the fastest; the key must not be changed afterwards.
 *
 * @throws InvalidQueryKeyError (`INVALID_QUERY_KEY`)
 */
export function queryOptions<T, S = T, TPrevious = T>(
  options: QueryObserverOptions<T, S, TPrevious>,
): QueryObserverOptions<T, S, TPrevious> & { queryKey: TaggedKey<T> } {
  assertObject('options', options)
  hashKey(options.queryKey)
  giveMemory(options)
  return options as QueryObserverOptions<T, S, TPrevious> & { queryKey: TaggedKey<T> }
}
