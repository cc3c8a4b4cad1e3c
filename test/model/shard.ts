/** Runs schedules in this thread: in chunks, each with a seed of its own, until one fails or all are done. */

import fc from 'fast-check'
import { schedules } from './arbitrary.ts'
import { printSchedule, type Schedule } from './schedule.ts'
import { type Violation, World } from './world.ts'

export const CHUNK = 250

export interface ShardOptions {
  readonly runs: number
  readonly seed: number
  readonly path?: string | undefined
  /** Whether a failing schedule is made small first. */
  readonly shrinks: boolean
  readonly onProgress?: ((runs: number) => void) | undefined
}

export interface Failure {
  readonly seed: number
  readonly path: string
  readonly schedule: Schedule
  readonly violation: Violation
  /** Schedules up to the first failing one. */
  readonly runs: number
  readonly shrinks: number
}

/** The seed of a chunk, such that neighbouring seeds share none. */
export function chunkSeed(seed: number, chunk: number): number {
  return (Math.imul(seed, 0x9e3779b1) + Math.imul(chunk, 0x85ebca6b)) | 0
}

export async function runShard(options: ShardOptions): Promise<{ runs: number; failure: Failure | null }> {
  const { runs, seed, shrinks, onProgress } = options
  let done = 0
  for (let chunk = 0; done < runs; chunk++) {
    const numRuns = Math.min(CHUNK, runs - done)
    const failure = await runChunk(numRuns, chunkSeed(seed, chunk), shrinks)
    if (failure !== null)
      return { runs: done + failure.runs, failure: { ...failure, runs: done + failure.runs } }
    done += numRuns
    onProgress?.(done)
  }
  return { runs: done, failure: null }
}

export async function runChunk(
  numRuns: number,
  seed: number,
  shrinks: boolean,
  path?: string,
): Promise<Failure | null> {
  let violation: Violation | null = null
  const property = fc.asyncProperty(schedules, async (schedule) => {
    const found = await new World(schedule, false).run()
    if (found === null) return
    violation = found
    throw new Error(`${found.promise}: ${found.what}`)
  })
  const result = await fc.check(property, {
    numRuns,
    seed,
    endOnFailure: !shrinks,
    ...(path === undefined ? {} : { path }),
  })
  if (!result.failed || result.counterexample === null) return null
  const [schedule] = result.counterexample
  const last = await new World(schedule, false).run()
  return {
    seed,
    path: result.counterexamplePath ?? '',
    schedule,
    violation: last ?? violation ?? { promise: 'none', what: 'it does not happen again' },
    runs: result.numRuns,
    shrinks: result.numShrinks,
  }
}

/** The story of a schedule: what it is, and all that happened in it. */
export async function tell(schedule: Schedule): Promise<string> {
  const world = new World(schedule, true)
  await world.run()
  return `${printSchedule(schedule)}\n\n${world.trace?.join('\n')}`
}
