/** Keys that know the type of their data: what `queryOptions` returns. Types only. */

import type { QueryKey } from '../keys/query-key.ts'

declare const dataType: unique symbol

export type TaggedKey<T> = QueryKey & { readonly [dataType]: T }

/** Any key but a tagged one: data of another type than the tag's must not slip through. */
export type UntaggedKey = QueryKey & { readonly [dataType]?: never }
