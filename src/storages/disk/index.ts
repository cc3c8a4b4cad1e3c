/** `stackquery/disk`: the public names, nothing else. */
export { DiskCacheStorage } from './disk-cache-storage.ts'
export type { DiskCacheOptions, EvictionPolicy } from './options.ts'
