/**
 * What must be true between workers. The parent knows every invalidation that L2 has acknowledged, every answer that any
 * worker has given, and what each worker's memory has held of the popular airports. From all of it together:
 *
 * - a call that begins after the acknowledgement, and that has to ask L2, gets nothing older than what was invalidated
 *   (as fresh, where it may still be served);
 * - a call that is answered from memory, or joins a fetch under way, may be as late as `LATEST`, and no later;
 * - so may a copy in memory.
 *
 * Not held against a worker: what it does while its L2 is away, and for `RECOVERY` after.
 */

import type { AfterUpdate } from './airport-cache.ts'
import { type Latencies, record } from './latencies.ts'
import type { Sighting } from './sightings.ts'
import { countText } from './tally.ts'

/** How long a change may take to the memory of other workers, on a machine that is busy with all of them. */
export const LATEST = 2_000
const RECOVERY = 5_000

/** An invalidation that L2 has acknowledged. Moments are of the clock that all processes share. */
export interface Invalidation {
  readonly icao: string
  readonly how: AfterUpdate
  /** Nothing older is right. */
  readonly version: number
  readonly calledAt: number
  readonly acknowledgedAt: number
}

export interface Answer {
  readonly icao: string
  readonly version: number
  readonly calledAt: number
  readonly isFresh: boolean
  /** Neither in memory nor on its way: L2 was asked for this very call. */
  readonly isAsked: boolean
}

/** What a worker process has to tell since its last account. */
export interface Account {
  readonly at: number
  readonly invalidations: readonly Invalidation[]
  readonly answers: readonly Answer[]
  readonly sightings: readonly Sighting[]
  /** L2, or the feed of changes, was away meanwhile. */
  readonly isDisturbed: boolean
}

export interface FleetVerdict {
  readonly invalidations: number
  /** From the call until the last of the workers that held the airport had dropped it. */
  readonly reached: Latencies
  /** Answers for which an invalidation by another worker was known. */
  readonly answers: number
  readonly violations: ReadonlyMap<string, number>
}

interface Process {
  readonly name: string
  readonly startedAt: number
  endedAt: number
  readonly disturbances: { readonly from: number; readonly to: number }[]
  readonly invalidations: Invalidation[]
  readonly answers: Answer[]
  readonly sightings: Map<string, Sighting[]>
}

export class FleetCheck {
  readonly #processes = new Map<string, Process>()

  /** @param name tells a worker's processes apart */
  take(name: string, { at, invalidations, answers, sightings, isDisturbed }: Account): void {
    const known = this.#processes.get(name)
    const mine: Process = known ?? {
      name,
      startedAt: at,
      endedAt: at,
      disturbances: [],
      invalidations: [],
      answers: [],
      sightings: new Map(),
    }
    this.#processes.set(name, mine)
    if (isDisturbed) mine.disturbances.push({ from: mine.endedAt - LATEST, to: at + RECOVERY })
    mine.endedAt = at
    mine.invalidations.push(...invalidations)
    mine.answers.push(...answers)
    for (const sighting of sightings) {
      const line = mine.sightings.get(sighting.icao) ?? []
      line.push(sighting)
      mine.sightings.set(sighting.icao, line)
    }
  }

  judge(): FleetVerdict {
    const processes = [...this.#processes.values()]
    const byAirport = new Map<string, { by: Process; invalidation: Invalidation }[]>()
    for (const by of processes)
      for (const invalidation of by.invalidations)
        byAirport.set(invalidation.icao, [...(byAirport.get(invalidation.icao) ?? []), { by, invalidation }])

    const reached: Latencies = new Map()
    const violations = new Map<string, number>()
    let answers = 0
    for (const process of processes) {
      for (const answer of process.answers) {
        const known = (byAirport.get(answer.icao) ?? []).filter(
          ({ by, invalidation }) => by !== process && invalidation.acknowledgedAt < answer.calledAt,
        )
        if (known.length > 0) answers++
        const broken = known.find(({ invalidation }) => isBroken(process, answer, invalidation))
        if (broken !== undefined) countText(violations, tell(process, answer, broken))
      }
    }
    for (const { by, invalidation } of [...byAirport.values()].flat()) {
      const times = processes.flatMap((peer) => (peer === by ? [] : (reachOf(peer, invalidation) ?? [])))
      const slowest = Math.max(...times)
      if (times.length > 0 && slowest < Infinity) record(reached, slowest)
      if (slowest === Infinity)
        countText(violations, `${invalidation.icao}: what ${by.name} had invalidated stayed in a memory`)
    }
    const invalidations = [...byAirport.values()].flat().length
    return { invalidations, reached, answers, violations }
  }
}

function isBroken(process: Process, answer: Answer, invalidation: Invalidation): boolean {
  if (answer.version >= invalidation.version) return false
  if (invalidation.how === 'invalidate' && !answer.isFresh) return false
  if (answer.isAsked) return true
  return (
    answer.calledAt > invalidation.acknowledgedAt + LATEST && !wasDisturbed(process, invalidation.calledAt)
  )
}

/**
 * Milliseconds until a peer's memory had dropped what was invalidated; `null`: it held nothing of it, or what it did cannot
 * be known; `Infinity`: later than it may be.
 */
function reachOf(peer: Process, { icao, version, calledAt, acknowledgedAt }: Invalidation): number | null {
  const line = peer.sightings.get(icao) ?? []
  const held = line.findLast(({ at }) => at <= calledAt)?.version ?? 0
  if (held === 0 || held >= version) return null
  const end = line.find((each) => each.at > calledAt && (each.version === 0 || each.version >= version))
  if (end !== undefined && end.at <= acknowledgedAt + LATEST) return end.at - calledAt
  const isUnknown = end === undefined && peer.endedAt <= acknowledgedAt + LATEST
  return isUnknown || wasDisturbed(peer, calledAt) ? null : Number.POSITIVE_INFINITY
}

function wasDisturbed({ disturbances }: Process, at: number): boolean {
  return disturbances.some(({ from, to }) => from <= at && at <= to)
}

function tell(
  process: Process,
  answer: Answer,
  { by, invalidation }: { by: Process; invalidation: Invalidation },
): string {
  const late = (answer.calledAt - invalidation.acknowledgedAt).toFixed(0)
  return (
    `${answer.icao}: ${process.name} got version ${answer.version} ${late} ms after ${by.name} had ` +
    `${invalidation.how}d it for version ${invalidation.version}`
  )
}
