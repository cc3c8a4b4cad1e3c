// @ts-check
/**
 * One subject of the matrix, run by its own runtime: matrix-run.mjs <dist> [driver]. Prints one line, and what failed.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const [dist = '', driver] = process.argv.slice(2)
const load = (/** @type {string} */ path) => import(pathToFileURL(join(dist, path)).href)
const { SQLiteStorage } = await load('storages/sqlite/index.js')
const { loadDriver } = await load('storages/sqlite/load-driver.js')
const { storageSuite } = await load('testing/index.js')
const { name, Driver } = await loadDriver(driver ? [driver] : undefined)

const connection = new Driver(':memory:')
const { version } = /** @type {{ version: string }} */ (
  connection.prepare('SELECT sqlite_version() AS version').get()
)
connection.close()

/** @type {{ title: string, run: () => Promise<void> }[]} */
const tests = []
const folder = mkdtempSync(join(tmpdir(), 'stackquery-matrix-run-'))
let files = 0
const removeFile = (/** @type {string} */ path) => {
  for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })
}
for (const [where, chosen] of [
  ['in a thread', name],
  ['on the calling thread', Driver],
]) {
  const warn = (/** @type {string} */ message) =>
    tests.push({ title: 'warning', run: () => Promise.reject(message) })
  const open = (/** @type {string} */ path) => new SQLiteStorage({ path, driver: chosen, logger: { warn } })
  storageSuite({
    test: (/** @type {string} */ title, /** @type {() => Promise<void>} */ run) =>
      tests.push({ title: `${where}: ${title}`, run }),
    capabilities: [
      ...['getMany', 'setMany', 'deleteMany', 'add', 'keys', 'feed', 'lease', 'renew', 'close'],
      ...['snapshot', 'reopen', 'loseFeed', 'cutFeed'],
    ],
    create: () => {
      const path = join(folder, `${++files}.db`)
      return {
        storage: open(path),
        reopen: () => open(path),
        loseFeed: () => removeFile(path),
        cutFeed: () => removeFile(path),
      }
    },
  })
}

let passed = 0
/** @type {string[]} */
const failures = []
// What is appended by a warning during a run is met as well.
for (const { title, run } of tests) {
  try {
    await run()
    passed += 1
  } catch (error) {
    failures.push(`${title}: ${error instanceof Error ? error.message : String(error)}`)
  }
}
rmSync(folder, { recursive: true, force: true })
console.log(`${passed} passed, ${failures.length} failed (${name}, SQLite ${version})`)
for (const failure of failures) console.log(`  ${failure}`)
if (failures.length > 0) process.exitCode = 1
// A storage that keeps its runtime alive after it was closed shows itself by the time limit of matrix.mjs.
