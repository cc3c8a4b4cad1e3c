// @ts-check
/**
 * `npm run test:matrix`: the conformance suite over SQLiteStorage and DiskCacheStorage, from dist/, on each runtime and
 * with each driver.
 *
 * Runtimes come from the npm registry, as the packages that hold nothing but a binary, into a folder outside of the
 * project, and are kept there for the next run. Not part of `npm test`. `npm run test:matrix -- bun` runs those whose
 * name has "bun" in it. Where better-sqlite3 finds no ready-made binary, `BETTER_SQLITE3` may name a node_modules
 * folder that has it.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const CACHE = join(tmpdir(), 'stackquery-matrix')
const BETTER_SQLITE3_FOLDER = join(CACHE, 'better-sqlite3')
// npm leaves out install scripts where it is set to (`ignore-scripts`), which is for its user to lift.
const UNBUILT = `has no binary: run \`npm rebuild better-sqlite3 --ignore-scripts=false\` in ${BETTER_SQLITE3_FOLDER}, or set BETTER_SQLITE3`
const { platform, arch } = process
const bunArch = arch === 'arm64' ? 'aarch64' : arch
const libc = platform === 'linux' ? '-glibc' : ''

/** @typedef {{ name: string, install?: string, binary?: string, args?: string[], driver?: string }} Subject */
const RUNTIMES = [
  ...['22', '24', '26'].map((version) => ({
    name: `node ${version}`,
    install: `node-${platform}-${arch}@${version}`,
    binary: 'bin/node',
    sqlite: 'node:sqlite',
  })),
  {
    name: 'bun',
    install: `@oven/bun-${platform}-${bunArch}`,
    binary: 'bin/bun',
    sqlite: 'bun:sqlite',
  },
]
/** @type {Subject[]} */
const SUBJECTS = [
  ...RUNTIMES.flatMap(({ name, sqlite, ...runtime }) => [
    { name: `${name}, ${sqlite}`, ...runtime },
    { name: `${name}, lmdb`, ...runtime, driver: 'lmdb' },
  ]),
  {
    name: 'deno, node:sqlite',
    install: `@deno/${platform}-${arch}${libc}`,
    binary: 'deno',
    args: ['run', '-A'],
  },
  { name: `node ${process.versions.node}, @photostructure/sqlite`, driver: '@photostructure/sqlite' },
  { name: `node ${process.versions.node}, better-sqlite3`, driver: 'better-sqlite3' },
]

const [wanted = ''] = process.argv.slice(2)
let hasFailed = false
for (const subject of SUBJECTS.filter(({ name }) => name.includes(wanted))) {
  const outcome = run(subject)
  if (outcome.isFailure) hasFailed = true
  console.log(`${outcome.isFailure ? 'FAILED' : 'ok    '}  ${subject.name.padEnd(40)} ${outcome.text}`)
}
process.exitCode = hasFailed ? 1 : 0

/** @param {Subject} subject */
function run({ install, binary, args = [], driver }) {
  /** @type {string} */
  let command = process.execPath
  if (install !== undefined && binary !== undefined) {
    const folder = join(CACHE, install.replaceAll('/', '+'))
    const packageName = install.replace(/(?<=.)@.*$/, '')
    command = join(folder, 'node_modules', packageName, binary)
    const failure = existsSync(command) ? undefined : npmInstall(folder, install)
    if (failure) return { isFailure: true, text: failure }
  }
  let dist = join(ROOT, 'dist')
  if (driver === 'better-sqlite3') {
    const modules = process.env['BETTER_SQLITE3'] ?? betterSQLite3()
    if (modules === undefined) {
      const isInstalled = existsSync(join(BETTER_SQLITE3_FOLDER, 'node_modules/better-sqlite3'))
      return { isFailure: true, text: isInstalled ? UNBUILT : 'could not be installed; set BETTER_SQLITE3' }
    }
    dist = distBeside(modules)
  }
  const script = join(ROOT, 'scripts/matrix-run.mjs')
  const { stdout, stderr, status, signal } = spawnSync(command, [...args, script, dist, driver ?? ''], {
    encoding: 'utf8',
    timeout: 300_000,
  })
  const text = `${stdout}${status === 0 ? '' : `\n${stderr}`}`.trim()
  return { isFailure: status !== 0, text: signal === null ? text : `${text} ended by ${signal}` }
}

/**
 * @param {string} folder
 * @param {string} what
 */
function npmInstall(folder, what) {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "private": true }')
  const { status, stderr } = spawnSync('npm', ['install', '--no-audit', '--no-fund', what], {
    cwd: folder,
    encoding: 'utf8',
  })
  return status === 0 ? undefined : `npm install ${what} failed: ${stderr}`
}

function betterSQLite3() {
  const folder = BETTER_SQLITE3_FOLDER
  const modules = join(folder, 'node_modules')
  if (!existsSync(join(modules, 'better-sqlite3/build'))) npmInstall(folder, 'better-sqlite3')
  return existsSync(join(modules, 'better-sqlite3/build')) ? modules : undefined
}

/**
 * Drivers are found from where the library lies.
 * @param {string} modules
 */
function distBeside(modules) {
  const folder = join(CACHE, 'beside')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  cpSync(join(ROOT, 'dist'), join(folder, 'dist'), { recursive: true })
  cpSync(join(ROOT, 'package.json'), join(folder, 'package.json'))
  symlinkSync(join(dirname(modules), 'node_modules'), join(folder, 'node_modules'))
  return join(folder, 'dist')
}
