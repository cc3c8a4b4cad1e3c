/** The public names, nothing else. */
export {
  type CachedQuery,
  dependentQuery,
  parallelQueries,
  query,
  queryOptions,
} from './client/composition.ts'
export {
  type CacheView,
  type ClientStats,
  type MutationOptions,
  QueryClient,
  type QueryObserverOptions,
  type QueryOptions,
  type SetQueryDataOptions,
  type Updater,
} from './client/query-client.ts'
export type { QueryClientConfig } from './client/query-client-config.ts'
export type { TaggedKey, UntaggedKey } from './client/tagged-key.ts'
export * from './errors.ts'
export { defaultRetryDelay } from './fetching/retry.ts'
export { hashKey, partialMatch } from './keys/hash-key.ts'
export type { KeyPart, QueryKey } from './keys/query-key.ts'
export { Mutation, type MutationFnContext, type MutationState } from './mutation/mutation.ts'
export type { Clock } from './ports/clock.ts'
export type { Logger } from './ports/logger.ts'
export type { Serializer } from './ports/serializer.ts'
export type { StandardResult, StandardSchemaV1 } from './ports/standard-schema.ts'
export type { Awaitable, ChangeFeed, LeaseProvider, StorageBackend, StorageEntry } from './ports/storage.ts'
export type { QueryFilter } from './query/query-filter.ts'
export { QueryObserver, type StateListener } from './query/query-observer.ts'
export type { QueryFnContext, Retry, RetryDelay } from './query/query-options.ts'
export type { DataSource, FetchStatus, QueryStatus } from './query/query-state.ts'
export type { QueryState } from './query/query-view.ts'
export { jsonSerializer } from './tier/json-serializer.ts'
