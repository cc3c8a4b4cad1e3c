/**
 * Other runtimes, as the packages of the npm registry that hold nothing but a binary, in a folder outside of the project
 * that is kept for the next run.
 */

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const CACHE = join(tmpdir(), 'stackquery-matrix')

/** `node@22`, `bun`, `bun@1.3.0`, or the path of a binary → `{ command, version }`; none = the runtime of this process. */
export function runtime(name) {
  if (name === undefined) return { command: process.execPath, version: process.version }
  const command = existsSync(name) ? name : installed(name)
  const { stdout, error } = spawnSync(command, ['--version'], { encoding: 'utf8' })
  if (error) throw error
  const [version] = stdout.trim().split('\n', 1)
  // Node's begins with a v, Bun's with a digit.
  if (!/^v?\d/.test(version))
    throw new Error(`${command} --version says ${JSON.stringify(version)}; expected that of Node or Bun.`)
  return { command, version: version.startsWith('v') ? version : `bun ${version}` }
}

function installed(name) {
  const [kind, version = 'latest'] = name.split('@')
  const { platform, arch } = process
  const packages = {
    node: [`node-${platform}-${arch}`, 'bin/node'],
    bun: [`@oven/bun-${platform}-${arch === 'arm64' ? 'aarch64' : arch}`, 'bin/bun'],
  }
  if (packages[kind] === undefined)
    throw new Error(`No runtime ${name}; expected node@<version>, bun or the path of a binary.`)
  const [packageName, binary] = packages[kind]
  const wanted = `${packageName}@${version}`
  const folder = join(CACHE, wanted.replaceAll('/', '+'))
  const command = join(folder, 'node_modules', packageName, binary)
  if (!existsSync(command)) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), '{"private":true}')
    const args = ['install', '--no-save', '--no-audit', '--no-fund', wanted]
    const { status } = spawnSync('npm', args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
    if (status !== 0) throw new Error(`npm could not install ${wanted}.`)
  }
  return command
}
