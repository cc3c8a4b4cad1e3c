/**
 * A worker is cut off from Redis while its peers are not, and they go on to invalidate. What does it believe?
 *
 * Three workers read 40 keys at random; two of them, which stay connected, invalidate. The third is cut off: its connections
 * go silent (`silent`; `feed silent`: that of the change feed alone), are closed (`closed`), or all its packets are dropped (`netns`: in a
 * network namespace of its own whose link goes down; needs root).
 * Right is, with `syncInterval` as set here:
 *
 * - no later than that (and 3 s at least) after a peer's invalidation was acknowledged, it takes nothing older for fresh;
 * - where it can still ask L2, it does not get what was removed at all;
 * - from one second after its return on it is as right as any other.
 *
 * `npm run build && node bench/fleet/cut-off.mjs [--cuts silent,closed,feed-silent,netns] [--runs 3] [--lengths 1500,8000]`
 */

import { worst } from './harness/checker.mjs'
import { question } from './harness/command-line.mjs'
import { startFleet } from './harness/fleet.mjs'
import { moment, sleep } from './harness/moment.mjs'
import { namespaced } from './harness/network-namespace.mjs'
import { openPlace } from './harness/place.mjs'
import { startRoute } from './harness/route.mjs'
import { Traffic } from './harness/traffic.mjs'

export const BELIEVED = 3_000
const BACK = 1_000
/** What a busy machine may add to a timer, or to the way of a message. */
const SLACK = 300
/** Between the invalidations of one worker: so long that a key is left alone for some seconds now and then. */
const PAUSE = 200

export async function cutOff({ cuts, runs, lengths }) {
  const rows = []
  const violations = []
  for (const cut of String(cuts).split(',')) {
    for (const length of String(lengths).split(',').map(Number)) {
      const sum = { invalidations: 0, reads: 0, inCut: 0, afterCut: 0, removed: 0 }
      for (let run = 0; run < runs; run++) {
        const outcome = await cutOnce(cut.replace('-', ' '), length)
        for (const text of outcome.violations) violations.push(`${cut} for ${length} ms, run ${run}: ${text}`)
        sum.invalidations += outcome.invalidations
        sum.reads += outcome.reads
        sum.inCut = Math.max(sum.inCut, outcome.inCut)
        sum.afterCut = Math.max(sum.afterCut, outcome.afterCut)
        sum.removed += outcome.removed
      }
      rows.push({
        cut,
        'for, ms': length,
        runs,
        invalidations: sum.invalidations,
        reads: sum.reads,
        'stale as fresh, at most ms after': sum.inCut,
        'last stale read after its return, ms': sum.afterCut,
        'removed but served as stale, cut off from L2': sum.removed,
      })
    }
  }
  return { rows, violations }
}

async function cutOnce(cut, length) {
  const net = cut === 'netns' ? await namespaced() : undefined
  const place = await openPlace('redis', net?.redisArgs)
  const route = net === undefined ? await startRoute(place.server.port) : undefined
  const far = { ...place, options: { url: net?.url(place.server.port) ?? route.url } }
  const fleet = await startFleet({
    size: 3,
    places: [far, place, place],
    config: { syncInterval: BELIEVED },
    execPaths: net === undefined ? [] : [net.execPath],
  })
  const traffic = new Traffic(fleet, { publishers: fleet.members.slice(1), pause: PAUSE })
  await traffic.start()
  await sleep(1_000)
  const cutAt = moment()
  if (net === undefined) route.set(cut)
  else net.cut()
  await sleep(length)
  // From here on nothing but what the one who returns has missed can be stale.
  await traffic.calm()
  if (net === undefined) route.set('open')
  else net.heal()
  const backAt = moment()
  await sleep(2_000)
  const { reads, stale } = await traffic.end()
  await fleet.close()
  route?.close()
  await place.close()
  net?.close()
  const { violations, ...figures } = judge(stale, { cut, cutAt, backAt })
  return { violations, ...figures, invalidations: traffic.checker.count, reads }
}

function judge(stale, { cut, cutAt, backAt }) {
  const violations = []
  const of = (read) =>
    `${read.key} by worker ${read.member} (${read.mode}), ${read.staleBy.toFixed(0)} ms after`
  const theirs = stale.filter(({ member }) => member !== 0)
  for (const read of theirs)
    if (read.staleBy > BACK + SLACK) violations.push(`connected, but stale: ${of(read)}`)
  const own = stale.filter(({ member }) => member === 0)
  const after = own.filter(({ start }) => start > backAt)
  const inCut = own.filter(({ start }) => start > cutAt && start <= backAt)
  // Cut off from L2 too, who takes stale data is served it while the origin is asked.
  const excused =
    cut === 'feed silent' ? [] : inCut.filter(({ mode, staleBy }) => mode === 'serve' && staleBy > BELIEVED)
  const asFresh = inCut.filter((read) => !excused.includes(read))
  for (const read of asFresh)
    if (read.staleBy > BELIEVED + SLACK) violations.push(`cut off, and stale as fresh: ${of(read)}`)
  for (const read of after) {
    const late = read.start - backAt
    if (late > BACK + SLACK) violations.push(`back for ${late.toFixed(0)} ms, and stale: ${of(read)}`)
  }
  return {
    violations,
    inCut: worst(asFresh),
    afterCut: Math.max(0, ...after.map(({ start }) => start - backAt)),
    removed: excused.length,
  }
}

await question(
  import.meta.url,
  'What a worker believes that is cut off from Redis while its peers are not',
  { cuts: 'silent,closed,feed-silent,netns', runs: 3, lengths: '1500,8000' },
  cutOff,
)
