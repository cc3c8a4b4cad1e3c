/**
 * A worker is stopped (SIGSTOP) while its peers change 10,000 keys, then continued: how long until it is right again?
 *
 * Also where the log has been trimmed past it. It holds all keys in L1, fresh; the peers set half of them anew and remove the
 * other half. Right is: from one second after its return on, no read that began then gets what was removed, and every key
 * that was set is read as it was set.
 *
 * `npm run build && node bench/fleet/suspended-follower.mjs [--storage redis|sqlite|disk] [--runs 3] [--changes 10000]
 * [--logs whole,trimmed] [--stops 0,6000]`
 */

import { question } from './harness/command-line.mjs'
import { startFleet } from './harness/fleet.mjs'
import { moment, sleep } from './harness/moment.mjs'
import { Origin } from './harness/origin.mjs'
import { openPlace } from './harness/place.mjs'

const PROMISED = 1_000

export async function suspendedFollower({ storage, runs, changes, logs, stops }) {
  const rows = []
  const violations = []
  for (const log of String(logs).split(',')) {
    for (const stop of String(stops).split(',').map(Number)) {
      let worst = 0
      let gaps = 0
      for (let run = 0; run < runs; run++) {
        const outcome = await suspend({ storage, changes, log, stop })
        worst = Math.max(worst, outcome.lastStale)
        gaps += outcome.gaps
        for (const text of outcome.violations) violations.push(`log ${log}, run ${run}: ${text}`)
      }
      rows.push({
        storage,
        log,
        'stopped for, at least': stop,
        runs,
        changes,
        gaps,
        'last stale read after its return, ms': worst,
      })
    }
  }
  return { rows, violations }
}

async function suspend({ storage, changes, log, stop }) {
  const violations = []
  const place = await openPlace(storage)
  if (log === 'trimmed') place.options.feedLength = 2
  const config = {
    cacheMaxSize: changes + 100,
    storageTimeout: 5_000,
    gcTime: 3_600_000,
    staleTime: 3_600_000,
  }
  const fleet = await startFleet({ size: 3, place, config, origin: new Origin(5) })
  const [follower, setter, remover] = fleet.members
  await follower.call('fill', changes)
  await follower.call('flush')
  await sleep(700)
  await follower.call('takeLog')

  follower.signal('SIGSTOP')
  const stoppedAt = moment()
  await Promise.all([
    change(setter, 'fill', changes / 2, 0),
    change(remover, 'removeEach', changes / 2, changes / 2),
  ])
  await sleep(stoppedAt + stop - moment())
  const changedAt = moment()
  follower.signal('SIGCONT')
  const returnedAt = moment()
  // Reads at random, as of a worker at work, from the first moment on.
  const outcome = await follower.call('readFor', { changes, ms: 2 * PROMISED, changedAt })
  const lastStale = outcome.lastStale === null ? 0 : outcome.lastStale - returnedAt
  if (lastStale > PROMISED) violations.push(`a read ${lastStale.toFixed(0)} ms after its return was stale`)
  const wrong = await follower.call('countOld', { changes, changedAt })
  if (wrong > 0) violations.push(`${wrong} keys were old at the end`)
  const gaps = (await follower.call('stats')).fleet.gaps
  await fleet.close()
  await place.close()
  return { lastStale, gaps, violations }
}

async function change(member, name, count, from) {
  await member.call(name, count, from)
  for (let i = 0; i < 6; i++) {
    const { pending } = await member.call('flush')
    const { storage, fleet } = await member.call('stats')
    if (pending === 0 && fleet.untold === 0) return
    console.error(`${name}: ${pending} writes and ${fleet.untold} messages still wait; ${storage.circuit}`)
  }
  throw new Error(`The peers could not change what they were to: ${(await member.call('takeLog')).at(-1)}`)
}

await question(
  import.meta.url,
  'How long until a worker that was stopped is right again',
  { storage: 'redis', runs: 3, changes: 10_000, logs: 'whole,trimmed', stops: '0,6000' },
  suspendedFollower,
)
