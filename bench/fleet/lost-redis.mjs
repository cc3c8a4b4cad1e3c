/**
 * Redis restarts empty, or a replica takes over, while a fleet reads and invalidates: who believes what too long?
 *
 * Faults: `restart` (SIGKILL, back and empty on the same port a second later), `failover` (SIGKILL of the master; a Sentinel
 * promotes its replica), `lagging failover` (the same, where the replica lacks the last half second of what was
 * acknowledged). Right is: an invalidation that was acknowledged by L2 holds everywhere within a second; while L2 is away, from
 * one second after it can be reached again on.
 *
 * `npm run build && node bench/fleet/lost-redis.mjs [--faults restart,failover,lagging-failover] [--runs 3]
 * [--library ioredis|node-redis]`
 */

import { question } from './harness/command-line.mjs'
import { startFleet } from './harness/fleet.mjs'
import { moment, sleep, until } from './harness/moment.mjs'
import { openPlace } from './harness/place.mjs'
import { startSentinel } from './harness/sentinel.mjs'
import { Traffic } from './harness/traffic.mjs'

const PROMISED = 1_000
const SLACK = 300
const LAG = 500

export async function lostRedis({ faults, runs, library }) {
  const rows = []
  const violations = []
  for (const fault of String(faults).split(',')) {
    const sum = { invalidations: 0, reads: 0, failed: 0, away: 0, stale: 0, worst: 0 }
    for (let run = 0; run < runs; run++) {
      const outcome = await loseOnce(fault.replace('-', ' '), library)
      for (const text of outcome.violations) violations.push(`${fault}, run ${run}: ${text}`)
      for (const name of ['invalidations', 'reads', 'failed', 'stale']) sum[name] += outcome[name]
      sum.away = Math.max(sum.away, outcome.away)
      sum.worst = Math.max(sum.worst, outcome.worst)
    }
    rows.push({
      fault,
      runs,
      invalidations: sum.invalidations,
      reads: sum.reads,
      'reads that failed': sum.failed,
      'Redis away for, ms': sum.away,
      'stale reads': sum.stale,
      'stale at most, ms after it was acknowledged and Redis back': sum.worst,
    })
  }
  return { rows, violations }
}

async function loseOnce(fault, library) {
  const redis = fault === 'restart' ? await restartable() : await failingOver(library)
  const fleet = await startFleet({ size: 4, place: redis.place })
  const traffic = new Traffic(fleet)
  await traffic.start()
  await sleep(1_500)
  const probe = fleet.members[0]
  await redis.prepare(fault)
  // What was acknowledged last is what may be lost; nothing later may hide that.
  const calm = traffic.calm()
  const awayAt = moment()
  await redis.lose()
  await probe.call('set', ['back'], 1)
  await until('L2 is back', async () => {
    const { pending } = await probe.call('flush')
    return pending === 0 && (await probe.call('stats')).fleet.untold === 0
  })
  const backAt = moment()
  await calm
  await sleep(2_500)
  const { reads, failed, stale } = await traffic.end()
  const violations = []
  for (const read of stale) {
    const late =
      read.start - (read.since < backAt && read.start > awayAt ? Math.max(read.since, backAt) : read.since)
    if (late > PROMISED + SLACK || (read.isOwn && read.staleBy > SLACK)) {
      violations.push(
        `${read.key} by worker ${read.member} (${read.mode}), ${read.staleBy.toFixed(0)} ms after, ${(read.start - backAt).toFixed(0)} ms after L2 was back${read.isOwn ? ', its own' : ''}`,
      )
    }
  }
  await fleet.close()
  await redis.close()
  return {
    violations,
    invalidations: traffic.checker.count,
    reads,
    failed: failed.length,
    away: backAt - awayAt,
    stale: stale.length,
    worst: Math.max(0, ...stale.map(({ start, since }) => start - Math.max(since, backAt))),
  }
}

async function restartable() {
  let place = await openPlace('redis')
  const { port } = place.server
  return {
    place,
    async prepare() {},
    async lose() {
      await place.close()
      await sleep(1_000)
      place = await openPlace('redis', ['--port', String(port)])
    },
    close: () => place.close(),
  }
}

async function failingOver(library) {
  const sentinel = await startSentinel()
  const { name, sentinels } = sentinel
  return {
    place: { kind: 'redis', options: {}, sentinel: { library, name, sentinels } },
    async prepare(fault) {
      if (fault !== 'lagging failover') return
      sentinel.fallBehind()
      await sleep(LAG)
    },
    lose: () => sentinel.killMaster(),
    close: () => sentinel.close(),
  }
}

await question(
  import.meta.url,
  'What a fleet believes when Redis restarts empty, or fails over',
  { faults: 'restart,failover,lagging-failover', runs: 3, library: 'ioredis' },
  lostRedis,
)
