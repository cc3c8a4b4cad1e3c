/** The public names, nothing else. */
export * from './errors.ts'
export type { Clock } from './ports/clock.ts'
export type { Logger } from './ports/logger.ts'
export type { Serializer } from './ports/serializer.ts'
export type { Awaitable, ChangeFeed, LeaseProvider, StorageBackend, StorageEntry } from './ports/storage.ts'
