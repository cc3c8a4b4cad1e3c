// @ts-check
/**
 * What a store that never answers costs: the first cold fetch, the thousand after it, and the heap after 100,000.
 *
 * `npm run build && node --expose-gc bench/faults/hung-store.mjs`: without L2, over a store whose every call hangs, and
 * over Redis behind an address that takes connections and never answers.
 */
import { createServer } from 'node:net'
import { parseArgs } from 'node:util'
import { QueryClient } from '../../dist/index.js'
import { MemoryStorage } from '../../dist/storages/memory/index.js'
import { RedisStorage } from '../../dist/storages/redis/index.js'
import { ChaosStorage } from '../../dist/testing/index.js'

const { values } = parseArgs({ options: { fetches: { type: 'string', default: '100000' } } })
const FETCHES = Number(values.fetches)
const quiet = { warn() {}, error() {}, info() {} }

/** @param {number[]} sorted @param {number} part */
const quantile = (sorted, part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0
/** @param {number} bytes */
const mb = (bytes) => `${(bytes / 2 ** 20).toFixed(1)} MB`

async function heap() {
  for (let round = 0; round < 3; round++) {
    globalThis.gc?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return process.memoryUsage().heapUsed
}

/**
 * @param {string} name
 * @param {import('../../dist/index.js').StorageBackend | undefined} storage
 * @param {number} fetches
 */
async function measure(name, storage, fetches = FETCHES) {
  const client = new QueryClient({ storage, logger: quiet, staleTime: 60_000 })
  let calls = 0
  /** @param {number} id */
  const fetchOne = (id) =>
    client.fetchQuery({ queryKey: ['item', id], queryFn: () => Promise.resolve({ id, call: ++calls }) })

  const before = await heap()
  const started = performance.now()
  await fetchOne(0)
  const first = performance.now() - started
  const times = []
  for (let id = 1; id <= 1_000; id++) {
    const at = performance.now()
    await fetchOne(id)
    times.push(performance.now() - at)
  }
  times.sort((a, b) => a - b)
  const cpu = process.cpuUsage()
  for (let id = 1_001; id < fetches; id += 100) {
    await Promise.all(Array.from({ length: Math.min(100, fetches - id) }, (_, n) => fetchOne(id + n)))
  }
  // The process's own time: a busy machine makes the clock on the wall say more than the library does.
  const rest = process.cpuUsage(cpu).user / (fetches - 1_001)
  const after = await heap()
  const { storage: tier, entries } = client.stats()
  console.log(
    [
      name.padEnd(26),
      `first ${first.toFixed(1)} ms`.padEnd(16),
      `next 1000: p50 ${quantile(times, 0.5).toFixed(3)} ms, p99 ${quantile(times, 0.99).toFixed(3)} ms, max ${(times.at(-1) ?? 0).toFixed(1)} ms`,
      `| ${fetches} fetches: ${rest.toFixed(1)} µs CPU each, heap ${mb(before)} → ${mb(after)} (L1 ${entries} entries` +
        (tier ? `, pending ${tier.pending} of ${mb(tier.pendingBytes)}, in flight ${tier.inFlight}` : '') +
        `), origin calls ${calls}`,
    ].join('  '),
  )
  await client.close({ timeout: 1 })
}

// The client's timers keep no process alive, nor does a store that does nothing.
const alive = setInterval(() => {}, 1_000)
// Loading a driver, and compiling, are paid once by every program and are no matter of faults.
await import('redis')
await measure('(warm-up) no L2', undefined, 10_000)
await measure('(warm-up) memory', new MemoryStorage(), 10_000)
await measure('no L2', undefined)

const chaos = new ChaosStorage(new MemoryStorage())
chaos.fault({ kind: 'hang' })
await measure('a store that hangs', chaos)

const blackhole = createServer((socket) => socket.resume().on('error', () => {}))
await new Promise((resolve) => blackhole.listen(0, '127.0.0.1', () => resolve(undefined)))
const { port } = /** @type {import('node:net').AddressInfo} */ (blackhole.address())
await measure('Redis that never answers', new RedisStorage(`redis://127.0.0.1:${port}`))
clearInterval(alive)
process.exit(0)
