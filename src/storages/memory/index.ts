/** The public names of `stackquery/memory`, nothing else. */
export { MemoryStorage, type MemoryStorageOptions } from './memory-storage.ts'
