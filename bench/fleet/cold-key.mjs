/**
 * How often does a fleet call the origin for one cold key? 8 processes with 1,000 callers each, `--runs` times in a row.
 *
 * `npm run build && node bench/fleet/cold-key.mjs [--storage redis|sqlite|disk] [--runs 100] [--processes 8] [--callers 1000]`
 */

import { question, spread } from './harness/command-line.mjs'
import { startFleet } from './harness/fleet.mjs'
import { Origin } from './harness/origin.mjs'
import { openPlace } from './harness/place.mjs'

/** Two cores for all: with a `storageTimeout` that a busy machine exceeds, a worker rightly goes ahead without L2. */
const PATIENCE = 5_000

export async function coldKey({ storage, runs, processes, callers }) {
  const place = await openPlace(storage)
  const origin = new Origin(50)
  const fleet = await startFleet({ size: processes, place, origin, config: { storageTimeout: PATIENCE } })
  const violations = []
  const times = []
  for (let run = 0; run < runs; run++) {
    const key = ['cold', run]
    const answers = await fleet.all('burst', key, callers)
    const calls = origin.callsOf(JSON.stringify(key)).length
    const versions = new Set(answers.flatMap((answer) => answer.versions))
    if (calls !== 1 || versions.size !== 1) {
      violations.push(`run ${run}: ${calls} origin calls, ${versions.size} versions seen`)
    }
    times.push(Math.max(...answers.map(({ ms }) => ms)))
  }
  await fleet.close()
  await place.close()
  const row = { storage, runs, callers: processes * callers, 'origin calls': origin.calls.length }
  return { rows: [{ ...row, ...spread('ms until all have it,', times) }], violations }
}

await question(
  import.meta.url,
  'Origin calls for one cold key',
  { storage: 'redis', runs: 100, processes: 8, callers: 1_000 },
  coldKey,
)
