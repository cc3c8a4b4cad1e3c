/**
 * How long after `removeQueries` was called in one of 8 processes has the last of them dropped the key from its L1?
 * Idle, and with all processes reading (and writing) at random meanwhile.
 *
 * `npm run build && node bench/fleet/invalidation-time.mjs [--storage redis|sqlite|disk] [--runs 1000] [--load none|some]
 * [--pause 60]`: the pause between two invalidations is at random, up to `--pause` ms.
 */

import { question, spread } from './harness/command-line.mjs'
import { startFleet } from './harness/fleet.mjs'
import { sleep } from './harness/moment.mjs'
import { openPlace } from './harness/place.mjs'

const PATIENCE = 10_000
const LOAD = Array.from({ length: 500 }, (_, i) => ['load', i])

export async function invalidationTime({ storage, runs, processes, load, pause }) {
  const place = await openPlace(storage)
  const config = { cacheMaxSize: runs + 2_000, storageTimeout: 5_000, gcTime: 3_600_000 }
  const fleet = await startFleet({ size: processes, place, config })
  const keys = Array.from({ length: runs }, (_, i) => ['held', i])
  const [writer] = fleet.members
  for (const key of keys) writer.call('set', key, 1)
  await writer.call('flush')
  // What the writing made the others do is over.
  await sleep(1_000)
  const held = await fleet.all('hydrate', keys)
  await sleep(1_000)
  await fleet.all('watchDrops', keys)

  /** When each member dropped the key that is being removed. */
  const drops = new Map()
  let onLast = () => {}
  for (const member of fleet.members) {
    member.onDropped = (name, at) => {
      const seen = drops.get(name) ?? []
      drops.set(name, [...seen, at])
      if (seen.length + 1 === processes) onLast(name)
    }
  }
  if (load === 'some')
    await fleet.all('startLoad', { keys: LOAD, batch: 20, pause: 4, writes: 1, isQuiet: true })

  const violations = held.every((count) => count === runs)
    ? []
    : [`not all L1s hold all keys: ${held.join(', ')}`]
  const [acknowledged, dropped, after] = [[], [], []]
  for (const [i, key] of keys.entries()) {
    const name = JSON.stringify(key)
    const last = new Promise((resolve) => {
      onLast = (which) => which === name && resolve()
    })
    const { calledAt, ackedAt } = await fleet.members[i % processes].call('invalidate', key, 'hard')
    const outcome = await Promise.race([last, sleep(PATIENCE).then(() => 'late')])
    if (outcome === 'late') {
      violations.push(
        `${name} was still held ${PATIENCE} ms later by ${processes - (drops.get(name) ?? []).length}`,
      )
      break
    }
    const lastAt = Math.max(...drops.get(name))
    acknowledged.push(ackedAt - calledAt)
    dropped.push(lastAt - calledAt)
    after.push(Math.max(0, lastAt - ackedAt))
    await sleep(Math.random() * pause)
  }
  if (load === 'some') await fleet.all('stopLoad')
  await fleet.close()
  await place.close()
  return {
    rows: [
      {
        storage,
        load,
        invalidations: runs,
        ...spread('ms until acknowledged,', acknowledged),
        ...spread('until dropped by all,', dropped),
        ...spread('of which after the acknowledgement,', after),
      },
    ],
    violations,
  }
}

await question(
  import.meta.url,
  "Milliseconds until an invalidation has reached the last of all workers' L1",
  { storage: 'redis', runs: 1_000, processes: 8, load: 'none', pause: 60 },
  invalidationTime,
)
