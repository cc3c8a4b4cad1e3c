/** The durations that all of the model agrees on, in milliseconds. */

export const STORAGE_TIMEOUT = 100
export const RETRY_DELAY = 10
/** No origin call takes longer. */
export const SLOWEST_ORIGIN = 400
/** Once faults have ended everything is settled within this: the 60 s that a lost write is waited for, and pauses. */
export const SETTLING = 150_000
