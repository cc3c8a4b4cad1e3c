/**
 * What an idle worker costs: CPU, and operations on the store, with nothing in L1 and with 10,000 entries.
 *
 * Redis counts its commands itself. An idle worker on a file does nothing but look at the log, so its looks are counted.
 *
 * `npm run build && node bench/fleet/idle-cost.mjs [--storage redis|sqlite|disk] [--seconds 20] [--entries 0,10000]`
 */

import { connect } from 'node:net'
import { question } from './harness/command-line.mjs'
import { startFleet } from './harness/fleet.mjs'
import { sleep } from './harness/moment.mjs'
import { openPlace } from './harness/place.mjs'

export async function idleCost({ storage, seconds, entries }) {
  const rows = []
  for (const count of String(entries).split(',').map(Number)) {
    const place = await openPlace(storage)
    const config = { cacheMaxSize: 20_000, gcTime: 3_600_000 }
    const fleet = await startFleet({ size: 1, place, config })
    const [worker] = fleet.members
    await worker.call('fill', count)
    await worker.call('flush')
    await sleep(2_000)
    const before = await commandsOf(place)
    const { cpuMs, ms, looks } = await worker.call('idle', seconds * 1_000)
    const commands = place.server === undefined ? looks : (await commandsOf(place)) - before
    rows.push({
      storage,
      'entries in L1': count,
      'CPU, ms per second': (cpuMs / ms) * 1_000,
      'operations per second': (commands / ms) * 1_000,
    })
    await fleet.close()
    await place.close()
  }
  return { rows, violations: [] }
}

/** All that the server has done but answering this. */
async function commandsOf({ server }) {
  if (server === undefined) return 0
  const text = await new Promise((resolve, reject) => {
    const socket = connect(server.port, '127.0.0.1', () => socket.write('INFO commandstats\r\nQUIT\r\n'))
    let reply = ''
    socket.on('data', (chunk) => {
      reply += chunk
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(reply))
  })
  let sum = 0
  for (const [, name, calls] of text.matchAll(/cmdstat_(\S+?):calls=(\d+)/g)) {
    if (name !== 'info' && name !== 'quit') sum += Number(calls)
  }
  return sum
}

await question(
  import.meta.url,
  'The cost of an idle worker',
  { storage: 'redis', seconds: 20, entries: '0,10000' },
  idleCost,
)
