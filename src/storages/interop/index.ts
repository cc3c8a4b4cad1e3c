/** The public names of `stackquery/interop`, nothing else. */
export { type AsyncStorageLike, fromAsyncStorage } from './from-async-storage.ts'
export { fromKeyv, type KeyvLike } from './from-keyv.ts'
export { fromUnstorage, type UnstorageLike } from './from-unstorage.ts'
export { type AsyncStorage, toAsyncStorage } from './to-async-storage.ts'
export { type KeyvStore, toKeyvStore } from './to-keyv-store.ts'
export { toUnstorageDriver, type UnstorageDriver } from './to-unstorage-driver.ts'
