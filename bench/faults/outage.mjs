// @ts-check
/**
 * An outage of a real Redis under load: what callers felt, what was logged, and what the store holds afterwards.
 *
 * `npm run build && node --import ./test/typescript-loader.mjs bench/faults/outage.mjs --outage 30`, with
 * `--mode pause` (SIGSTOP, then SIGCONT), `restart` (SIGKILL, started again with its data) or `empty` (without).
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual, parseArgs } from 'node:util'
import { QueryClient } from '../../dist/index.js'
import { RedisStorage } from '../../dist/storages/redis/index.js'
import { startRedisServer } from '../../test/servers/redis-server.ts'

const { values } = parseArgs({
  options: {
    outage: { type: 'string', default: '30' },
    mode: { type: 'string', default: 'pause' },
    keys: { type: 'string', default: '200' },
  },
})
const KEYS = Number(values.keys)
const OUTAGE = Number(values.outage) * 1_000
const { mode } = values

const dir = mkdtempSync(join(tmpdir(), 'stackquery-outage-'))
const args = mode === 'restart' ? ['--appendonly', 'yes', '--appendfsync', 'always'] : []
let redis = await startRedisServer({ dir, args })
const { url, port } = redis

/** @type {string[]} */
const log = []
const started = performance.now()
const note =
  (/** @type {string} */ level) =>
  (/** @type {unknown[]} */ ...all) => {
    const text = all.map((part) => (part instanceof Error ? `(${part.message})` : String(part))).join(' ')
    log.push(`${((performance.now() - started) / 1000).toFixed(1).padStart(6)} s  ${level}  ${text}`)
  }
const logger = { info: note('info '), warn: note('warn '), error: note('error') }
const client = new QueryClient({ storage: new RedisStorage(url), staleTime: 1_000, logger })

const sleep = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms))
let calls = 0
/** @param {number} id */
const fetchOne = (id) =>
  client.fetchQuery({
    queryKey: ['item', id],
    queryFn: async () => ({ id, call: ++calls, text: 'x'.repeat(200) }),
  })

/** @type {Record<string, { times: number[], failed: number }>} */
const phases = {}
let phase = 'before'
/** @param {number} id */
async function timed(id) {
  phases[phase] ??= { times: [], failed: 0 }
  const mine = /** @type {{ times: number[], failed: number }} */ (phases[phase])
  const at = performance.now()
  try {
    await fetchOne(id)
  } catch (error) {
    mine.failed++
    console.error(error)
  }
  mine.times.push(performance.now() - at)
}
// Warm: the driver is loaded, and every key has been in the store. What is first fetched while the store is away cannot
// be vouched for afterwards; it is counted as dropped and is no matter of this measurement.
await import('redis')
for (let dropped = -1; dropped !== client.stats().storage?.dropped; ) {
  dropped = client.stats().storage?.dropped ?? 0
  await client.invalidateQueries(['item'])
  await Promise.all(Array.from({ length: KEYS }, (_, id) => fetchOne(id)))
  await sleep(200)
  await client.flush()
}
log.length = 0
let manual = 0
const load = setInterval(() => {
  for (let n = 0; n < 10; n++) void timed(Math.floor(Math.random() * KEYS))
}, 10)
const sets = setInterval(() => {
  const id = Math.floor(Math.random() * KEYS)
  client.setQueryData(['item', id], { id, manual: ++manual })
}, 50)

await sleep(3_000)
const before = client.stats().storage
phase = 'outage'
if (mode === 'pause') {
  redis.kill('SIGSTOP')
} else {
  redis.kill('SIGKILL')
  await redis.exited
}
await sleep(OUTAGE)
if (mode === 'pause') redis.kill('SIGCONT')
else {
  if (mode === 'empty') rmSync(join(dir, 'appendonlydir'), { recursive: true, force: true })
  redis = await startRedisServer({ dir, args, port })
}
phase = 'after'
while (client.stats().storage?.circuit !== 'closed') await sleep(20)
// A server that is started again may have lost what it had: L1 is not believed then, and has to be read again first.
if (mode !== 'pause') await sleep(3_000)
// The load ends as soon as the store is back: nothing but the replay may bring it up to date.
clearInterval(load)
clearInterval(sets)
await sleep(300)
const flushed = await client.flush({ timeout: 20_000 })

const other = new QueryClient({ storage: new RedisStorage(url), logger, storageTimeout: 5_000 })
let equal = 0
for (let id = 0; id < KEYS; id++) {
  const inStore = await other.getQueryDataAsync(['item', id])
  if (isDeepStrictEqual(inStore, client.getQueryData(['item', id]))) equal++
}
const quantile = (/** @type {number[]} */ sorted, /** @type {number} */ part) =>
  (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0).toFixed(2)
console.log(`mode ${mode}, outage ${OUTAGE} ms, ${KEYS} keys, ${manual} sets, ${calls} origin calls`)
for (const [name, { times, failed }] of Object.entries(phases)) {
  times.sort((a, b) => a - b)
  console.log(
    `  ${name.padEnd(7)} ${String(times.length).padStart(6)} fetches, ${failed} failed, p50 ${quantile(times, 0.5)} ms, p99 ${quantile(times, 0.99)} ms, max ${quantile(times, 1)} ms`,
  )
}
console.log(`  last values that another client finds in the store: ${equal} of ${KEYS}`)
const { pending, superseded, dropped = 0, replayed = 0, outages = 0 } = client.stats().storage ?? {}
const since = {
  dropped: dropped - (before?.dropped ?? 0),
  replayed: replayed - (before?.replayed ?? 0),
  outages: outages - (before?.outages ?? 0),
}
console.log(`  ${JSON.stringify({ ...since, pending, superseded, flushed })}`)
console.log(`  log since the warm-up, ${log.length} lines:`)
for (const line of log) console.log(`    ${line}`)
await Promise.all([client.close(), other.close()])
await redis.stop()
rmSync(dir, { recursive: true, force: true })
