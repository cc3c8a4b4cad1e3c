/** Work that a lock may be in the way of. May import siblings. */

import { setTimeout as sleep } from 'node:timers/promises'
import { isBusy } from './result-code.ts'

/** Runs a piece of work, and may see to something around it. */
export type Guard = <T>(work: () => T) => T

export const unguarded: Guard = (work) => work()

const MAX_PAUSE = 20

/** Tries until no lock is in the way, with jitter, for `limit` milliseconds at most. */
export async function patiently<T>(limit: number, work: () => T, guard: Guard = unguarded): Promise<T> {
  const deadline = performance.now() + limit
  for (let pause = 1; ; pause = Math.min(2 * pause, MAX_PAUSE)) {
    try {
      return guard(work)
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw error
    }
    await sleep(pause * (0.5 + Math.random()))
  }
}
