/** The public names of `stackquery/testing`, nothing else. */
export type { Fault, FaultScope, StorageCall, StorageOperation } from './chaos-fault.ts'
export { ChaosStorage, type ChaosStorageOptions, type HealOptions } from './chaos-storage.ts'
export type { Garbage } from './garbage.ts'
export { seededRandom } from './seeded-random.ts'
export {
  type StorageSuiteOptions,
  storageSuite,
  storageSuiteTests,
  type TestFunction,
} from './storage-suite.ts'
export { ConformanceError } from './suite/assert.ts'
export type { StorageSubject, SuiteCapability } from './suite/suite-context.ts'
export { type SkewedClock, VirtualClock, type VirtualClockOptions } from './virtual-clock.ts'
