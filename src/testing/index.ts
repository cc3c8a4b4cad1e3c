/** The public names of `stackquery/testing`, nothing else. */
export { type SkewedClock, VirtualClock, type VirtualClockOptions } from './virtual-clock.ts'
