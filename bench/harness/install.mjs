/**
 * The peers by `npm ci`, skipped where bench/node_modules is what the lock file says; and the built package beside them,
 * so that it meets the same drivers as they do. Runs in bench/.
 */

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'

const STAMP = 'node_modules/.installed-for'
const HOME = 'node_modules/stackquery'

export function install({ skipBuild }) {
  const wanted = createHash('sha256')
    .update(readFileSync('package-lock.json'))
    .update(process.version.split('.')[0])
    .digest('hex')
  if (!existsSync(STAMP) || readFileSync(STAMP, 'utf8') !== wanted) {
    run('npm', ['ci', '--no-audit', '--no-fund'], '.')
    writeFileSync(STAMP, wanted)
  }
  if (!skipBuild) run(process.execPath, ['scripts/build.mjs'], '..')
  rmSync(HOME, { recursive: true, force: true })
  cpSync('../dist', `${HOME}/dist`, { recursive: true })
  cpSync('../package.json', `${HOME}/package.json`)
}

/** Of what is compared, as installed. */
export function versions() {
  const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8'))
  const names = ['stackquery', ...Object.keys(dependencies)]
  return Object.fromEntries(names.map((name) => [name, versionOf(name)]))
}

function versionOf(name) {
  return JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version
}

function run(command, args, cwd) {
  const { status, error } = spawnSync(command, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed (${error?.message ?? status})`)
}
