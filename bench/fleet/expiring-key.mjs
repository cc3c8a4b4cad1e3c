/**
 * How often does a fleet under load call the origin for a key that grows stale again and again? 8 processes with 1,000
 * callers each call all the time, half of them content with stale data, half not. Right is: one call at a time, and none
 * before the data of the one before has grown stale.
 *
 * `npm run build && node bench/fleet/expiring-key.mjs [--storage redis|sqlite|disk] [--runs 100] [--processes 8] [--callers 1000]`
 */

import { question, spread } from './harness/command-line.mjs'
import { startFleet } from './harness/fleet.mjs'
import { moment } from './harness/moment.mjs'
import { Origin } from './harness/origin.mjs'
import { openPlace } from './harness/place.mjs'

const STALE_TIME = 500
/** Data is as old as its worker's clock says, in whole milliseconds; the origin's end is seen by another process. */
const TOLERANCE = 3

/** Two cores for all: with a `storageTimeout` that a busy machine exceeds, a worker rightly goes ahead without L2. */
const PATIENCE = 5_000

export async function expiringKey({ storage, runs, processes, callers }) {
  const place = await openPlace(storage)
  const origin = new Origin(50)
  const fleet = await startFleet({
    size: processes,
    place,
    origin,
    config: { staleTime: STALE_TIME, storageTimeout: PATIENCE },
  })
  const key = ['expiring']
  let bursts = 0
  const times = []
  await Promise.all(
    fleet.members.map(async (member, i) => {
      while (origin.calls.length <= runs) {
        const { ms } = await member.call('burst', key, callers, i % 2 === 0 ? 'serve' : 'wait')
        times.push(ms)
        bursts++
      }
    }),
  )
  const calls = origin.calls.filter(({ ended }) => ended < moment())
  const violations = []
  for (const [i, { began }] of calls.entries()) {
    const before = calls[i - 1]
    if (before === undefined) continue
    const age = began - before.ended
    if (age < STALE_TIME - TOLERANCE)
      violations.push(`call ${i} came ${age.toFixed(1)} ms after the end of the one before`)
  }
  await fleet.close()
  await place.close()
  const row = { storage, 'times stale': calls.length - 1, 'origin calls': calls.length - 1 }
  return {
    rows: [{ ...row, 'calls of fetchQuery': bursts * callers, ...spread('ms of 1,000 calls,', times) }],
    violations,
  }
}

await question(
  import.meta.url,
  'Origin calls for one key that grows stale under load',
  { storage: 'redis', runs: 100, processes: 8, callers: 1_000 },
  expiringKey,
)
