/** Keys that know the type of their data: what `queryOptions` returns. Types only. */

import type { QueryKey } from '../keys/query-key.ts'

declare const dataType: unique symbol

export type TaggedKey<T> = QueryKey & { readonly [dataType]: T }

/** The type of the data under a key: known for a tagged key, `unknown` for any other. */
export type KeyOf<K> = K extends { readonly [dataType]: infer T } ? T : unknown
