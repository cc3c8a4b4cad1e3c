/**
 * The promises between workers that need more than a look at one of them.
 *
 * P4: once a worker has been given the message of an invalidation, its L1 holds nothing older (as fresh, where it was a
 *   soft one). An invalidation that is acknowledged is in the log: to have heard everything up to the log's end at that
 *   moment, or to have been told of a gap since, is to have been given it. After a long calm, all L1 copies are right,
 *   whatever the store can do.
 * P8: of two origin calls of one key at a time in two workers, one was made while the leases did not work: its worker's
 *   store was not calm, its circuit was not closed, it stood still, or the leases were lost. Observers are exempt: what an
 *   invalidation refetches for them is the origin's word.
 *   A caller waits at most `LONGEST_WAIT`: for holders that live, and the life of the leases of those that died.
 */

import type { Incarnation } from './incarnation.ts'
import { type Datum, doesMean, type Ledger } from './ledger.ts'
import type { SimulatedStore } from './simulated-store.ts'
import { STORAGE_TIMEOUT } from './timing.ts'

/** Well below the 30 s after which a fetch goes ahead whoever holds the lease. */
export const LONGEST_WAIT = 20_000
/** Those 30 s, and the last look. */
export const LONGEST_WAIT_LIED_TO = 31_000
/** Until L2 has been asked after a gap what is gone of what observers show. */
const SOON = 500
/** Answers that were slow have come. */
const CALM = 1_000

/** All is well between a worker and the store, and has been for a while. */
export function isSound(life: Incarnation, now: number): boolean {
  const { weather, calmSince } = life.slot
  const { storage, fleet } = life.client.stats()
  return (
    weather.kind === 'calm' &&
    now - calmSince > CALM &&
    now - life.suspendedAt > CALM &&
    storage?.circuit === 'closed' &&
    fleet?.isFollowing !== false
  )
}

/**
 * What is observed stays on the screen over a gap, marked, until L2 has been asked whether it is gone; where L2 could not
 * be asked, until it has been read again.
 */
function isStillShown({ port, slot, client, watching, suspendedAt }: Incarnation, now: number): boolean {
  const { gapAt, doubtedAt } = port
  if (now - gapAt < SOON) return true
  if (watching.length === 0) return false
  const couldAsk =
    slot.weather.kind === 'calm' &&
    doubtedAt - slot.calmSince > CALM &&
    doubtedAt - suspendedAt > CALM &&
    client.stats().storage?.outages === 0
  return now - doubtedAt < SOON || !couldAsk
}

/** Which other worker calls the origin for the same, though leases work and both know of them. */
export function rivalOf(
  life: Incarnation,
  k: number,
  workers: readonly Incarnation[],
  store: SimulatedStore,
  now: number,
): Incarnation | undefined {
  if (life.hasWatched || !isSound(life, now)) return undefined
  return workers.find(
    (other) =>
      other !== life &&
      other.isAlive &&
      !other.isSuspended &&
      (other.running[k] as number) > 0 &&
      other.isSound[k] === true &&
      !other.hasWatched &&
      other.suspendedAt < (other.claimedAt[k] as number) &&
      store.leases.lostAt <
        Math.min(life.claimedAt[k] as number, other.claimedAt[k] as number) - STORAGE_TIMEOUT,
  )
}

/** What is wrong with data that a worker's L1 holds, by what it has been told; `isCalm`: by all there is. */
export function untrueCopy(
  life: Incarnation,
  datum: Datum,
  isInvalidated: boolean,
  ledger: Ledger,
  now: number,
  isCalm: boolean,
): string | null {
  for (const { by, kind, f, called, acknowledged, told } of ledger.invalidations) {
    if (by === life || !doesMean(f, datum.k) || (kind === 'soft' && isInvalidated)) continue
    if (isInvalidated && isStillShown(life, now)) continue
    // One that died before it could tell its peers has not been acknowledged as far as their L1 is concerned.
    const isKnown = life.port.feed === undefined ? acknowledged < Infinity : told < Infinity
    if (isCalm ? !isKnown : told > life.port.heard) continue
    if (ledger.beganFor(datum, by) >= called) continue
    return `the ${kind} invalidation of ${by.name} at ${called}`
  }
  return null
}
