/**
 * What does it cost the others when the process that fetches a key for all of them is killed, or stopped?
 *
 * 4 processes want one cold key; the one whose origin call runs is sent the signal. The others may be held up by the life of
 * its lease and the pause between two looks. A stopped one is continued later, and its origin call, which began first,
 * answers last: what it brings must replace nothing that is newer, neither in L2 nor in anybody's L1, nor in its own.
 *
 * `npm run build && node bench/fleet/dead-holder.mjs [--storage redis|sqlite|disk] [--runs 10]
 * [--signals SIGKILL,SIGSTOP]`
 */

import { question } from './harness/command-line.mjs'
import { startFleet } from './harness/fleet.mjs'
import { moment, sleep, until } from './harness/moment.mjs'
import { Origin } from './harness/origin.mjs'
import { openPlace } from './harness/place.mjs'

const LEASE_LIFE = 3_000
/** The longest pause between two looks, the origin's 50 ms, and what a busy machine adds. */
const SLACK = 1_000

export async function deadHolder({ storage, runs, processes, signals }) {
  const rows = []
  const violations = []
  for (const signal of String(signals).split(',')) {
    const delays = []
    let calls = 0
    for (let run = 0; run < runs; run++) {
      const outcome = await lose(signal, storage, processes)
      delays.push(outcome.delay)
      calls += outcome.calls
      violations.push(...outcome.violations.map((text) => `${signal}, run ${run}: ${text}`))
    }
    rows.push({
      storage,
      'the holder gets': signal,
      runs,
      'origin calls': calls,
      'lease life': LEASE_LIFE,
      'others wait, ms, min': Math.min(...delays),
      'ms, max': Math.max(...delays),
    })
  }
  return { rows, violations }
}

async function lose(signal, storage, processes) {
  const violations = []
  let answerFirst
  const firstMayEnd = new Promise((resolve) => {
    answerFirst = resolve
  })
  const origin = new Origin((call) => (call.version === 1 ? firstMayEnd : sleep(50)))
  const place = await openPlace(storage)
  const fleet = await startFleet({ size: processes, place, origin, config: { storageTimeout: 5_000 } })
  const key = ['dear']
  const answers = fleet.members.map((member) => member.call('read', key).catch(() => null))
  await until('the origin is called', () => origin.calls.length > 0)
  const holder = fleet.members[origin.calls[0].member]
  const others = fleet.members.filter((member) => member !== holder)
  // The others are waiting for it by now.
  await sleep(300)
  holder.signal(signal)
  const lostAt = moment()
  const theirs = await Promise.all(others.map(({ index }) => answers[index]))
  const delay = moment() - lostAt
  if (delay > LEASE_LIFE + SLACK) violations.push(`the others waited ${delay.toFixed(0)} ms`)
  if (theirs.some(({ version }) => version !== 2)) violations.push(`the others got ${JSON.stringify(theirs)}`)
  const calls = origin.calls.length
  if (calls !== 2) violations.push(`${calls} origin calls instead of 2`)
  if (signal === 'SIGSTOP') {
    holder.signal('SIGCONT')
    answerFirst()
    const own = await answers[holder.index]
    if (own.version !== 1) violations.push(`the holder answered its own caller with ${JSON.stringify(own)}`)
    await holder.call('flush')
    // Word of what it wrote, had it written, would be everywhere.
    await sleep(700)
    for (const member of fleet.members) {
      const { version } = await member.call('read', key, 'wait')
      if (version < 2) violations.push(`worker ${member.index} has old data again`)
    }
  }
  await fleet.close()
  await place.close()
  return { delay, calls, violations }
}

await question(
  import.meta.url,
  'What a dead or stopped lease holder costs the others',
  { storage: 'redis', runs: 10, processes: 4, signals: 'SIGKILL,SIGSTOP' },
  deadHolder,
)
