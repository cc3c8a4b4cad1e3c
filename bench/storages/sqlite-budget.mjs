/**
 * SQLiteStorage beside its own driver, in one run: a burst of 20,000 writes against one transaction per write, the
 * event loop meanwhile, and a read with JSON.parse against the same on the bare driver. Medians of several rounds,
 * reads in slices that alternate, so that a busy machine hits both alike.
 *
 *   npm run build && node bench/storages/sqlite-budget.mjs [driver]
 *
 * Budgets: burst at least 4 times as fast; event loop p99 under 10 ms; reads at most 1.5 times as long.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { SQLiteStorage } from '../../dist/storages/sqlite/index.js'
import { loadDriver } from '../../dist/storages/sqlite/load-driver.js'

const ENTRIES = 20_000
const ROUNDS = Number(process.env.ROUNDS ?? 7)
const SLICES = 20

const [chosen] = process.argv.slice(2)
const { Driver, name } = await loadDriver(chosen ? [chosen] : undefined)
const keys = Array.from({ length: ENTRIES }, (_, i) => `sq:e:user:${i}`)
const values = keys.map((_, id) =>
  JSON.stringify({
    v: 1,
    d: { id, name: `user ${id}`, tags: ['a', 'b', 'c'], text: 'x'.repeat(120) },
    t: 1_700_000_000_000,
  }),
)
const median = (all) => all.toSorted((a, b) => a - b)[all.length >> 1]
const elapsed = async (work) => {
  const from = performance.now()
  await work()
  return performance.now() - from
}

const rounds = []
for (let round = 0; round < ROUNDS; round++) {
  const directory = mkdtempSync(join(tmpdir(), 'sqlite-budget-'))
  const raw = new Driver(join(directory, 'raw.db'))
  raw.exec('PRAGMA journal_mode = WAL')
  raw.exec('PRAGMA synchronous = NORMAL')
  raw.exec('CREATE TABLE t (key TEXT PRIMARY KEY, value TEXT, expires INTEGER)')
  const put = raw.prepare('INSERT OR REPLACE INTO t VALUES (?, ?, ?)')
  const get = raw.prepare('SELECT value FROM t WHERE key = ?')
  const rawBurst = await elapsed(() => {
    for (const [i, key] of keys.entries()) put.run(key, values[i], 9e12)
  })
  await sleep(100)

  const storage = new SQLiteStorage({ path: join(directory, 'ours.db'), ...(chosen && { driver: chosen }) })
  await storage.set('warm', 'up')
  await storage.get('warm')
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  await sleep(20)
  delay.reset()
  const burst = await elapsed(() => Promise.all(keys.map((key, i) => storage.set(key, values[i], 300_000))))
  await sleep(3)
  delay.disable()

  const reads = { raw: [], ours: [] }
  for (let slice = 0; slice < SLICES; slice++) {
    const order = Array.from({ length: 1_000 }, (_, i) => keys[((i + slice * 1_000) * 7_919) % ENTRIES])
    reads.raw.push(
      await elapsed(() => {
        for (const key of order) JSON.parse(get.get(key).value)
      }),
    )
    reads.ours.push(
      await elapsed(async () => {
        for (const key of order) JSON.parse(await storage.get(key))
      }),
    )
  }
  await storage.close()
  raw.close()
  rmSync(directory, { recursive: true, force: true })
  rounds.push({
    'burst, driver (ms)': rawBurst,
    'burst, ours (ms)': burst,
    'times as fast': rawBurst / burst,
    'event loop p99 (ms)': delay.percentile(99) / 1e6,
    'read, driver (µs)': median(reads.raw),
    'read, ours (µs)': median(reads.ours),
    'times as long': median(reads.ours) / median(reads.raw),
  })
}

console.log(`${name}, ${process.version}: medians of ${ROUNDS} rounds`)
for (const label of Object.keys(rounds[0])) {
  console.log(`${label.padEnd(22)} ${median(rounds.map((round) => round[label])).toFixed(2)}`)
}
