// @ts-check
/**
 * One subject of the matrix, run by its own runtime: matrix-run.mjs <dist> [driver], where the driver `lmdb` means
 * DiskCacheStorage, any other or none SQLiteStorage. Prints one line, and what failed.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const [dist = '', driver] = process.argv.slice(2)
const load = (/** @type {string} */ path) => import(pathToFileURL(join(dist, path)).href)
const { storageSuite } = await load('testing/index.js')

/** @type {{ title: string, run: () => Promise<void> }[]} */
const tests = []
const folder = mkdtempSync(join(tmpdir(), 'stackquery-matrix-run-'))
let files = 0
const complain = (/** @type {string} */ message) =>
  tests.push({ title: 'warning', run: () => Promise.reject(message) })
const logger = { warn: complain, error: complain }
const removeFile = (/** @type {string} */ path) => {
  for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })
}
const label = driver === 'lmdb' ? await addDisk() : await addSQLite()

/**
 * @param {string} where
 * @param {string[]} hooks
 * @param {() => object} create
 */
function add(where, hooks, create) {
  storageSuite({
    test: (/** @type {string} */ title, /** @type {() => Promise<void>} */ run) =>
      tests.push({ title: `${where}: ${title}`, run }),
    capabilities: [
      ...['getMany', 'setMany', 'deleteMany', 'add', 'snapshot', 'keys', 'feed', 'lease', 'renew'],
      'close',
      ...hooks,
    ],
    create,
  })
}

async function addDisk() {
  const { DiskCacheStorage } = await load('storages/disk/index.js')
  const open = (/** @type {string} */ directory) => new DiskCacheStorage({ directory, logger })
  add('disk', ['reopen', 'cutFeed'], () => {
    const directory = join(folder, `${++files}`)
    return {
      storage: open(directory),
      reopen: () => open(directory),
      cutFeed: () => rmSync(directory, { recursive: true, force: true }),
    }
  })
  return 'lmdb'
}

async function addSQLite() {
  const { SQLiteStorage } = await load('storages/sqlite/index.js')
  const { loadDriver } = await load('storages/sqlite/load-driver.js')
  const { name, Driver } = await loadDriver(driver ? [driver] : undefined)
  const connection = new Driver(':memory:')
  const { version } = /** @type {{ version: string }} */ (
    connection.prepare('SELECT sqlite_version() AS version').get()
  )
  connection.close()
  for (const [where, chosen] of [
    ['in a thread', name],
    ['on the calling thread', Driver],
  ]) {
    const open = (/** @type {string} */ path) => new SQLiteStorage({ path, driver: chosen, logger })
    add(where, ['reopen', 'loseFeed', 'cutFeed'], () => {
      const path = join(folder, `${++files}.db`)
      return {
        storage: open(path),
        reopen: () => open(path),
        loseFeed: () => removeFile(path),
        cutFeed: () => removeFile(path),
      }
    })
  }
  return `${name}, SQLite ${version}`
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
console.log(`${passed} passed, ${failures.length} failed (${label})`)
for (const failure of failures) console.log(`  ${failure}`)
if (failures.length > 0) process.exitCode = 1
// A storage that keeps its runtime alive after it was closed shows itself by the time limit of matrix.mjs.
