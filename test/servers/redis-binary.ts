/**
 * Finds a Redis server to run, installing one with the system's package manager where that is allowed.
 *
 * Order: `redis-server` or `valkey-server` on PATH; else installed from the system's packages; else an error
 * that says what to do. Never skips in silence.
 */
import { spawn } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'

const BINARIES = ['redis-server', 'valkey-server']
// Homebrew and hand-built servers are often missing from the PATH of a non-login shell.
const EXTRA_FOLDERS = ['/usr/bin', '/usr/local/bin', '/usr/sbin', '/opt/homebrew/bin', '/usr/local/sbin']
const INSTALL_TIMEOUT = 180_000
const ATTEMPTS = 3

interface PackageManager {
  readonly command: string
  readonly needsRoot: boolean
  /** Each inner list is one command; the last one decides. */
  readonly steps: readonly (readonly string[])[]
}

const PACKAGE_MANAGERS: readonly PackageManager[] = [
  {
    command: 'apt-get',
    needsRoot: true,
    steps: [
      ['update', '-q'],
      ['install', '-y', '-q', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=120', 'redis-server'],
    ],
  },
  { command: 'apk', needsRoot: true, steps: [['add', '--no-cache', 'redis']] },
  { command: 'dnf', needsRoot: true, steps: [['install', '-y', 'valkey']] },
  { command: 'brew', needsRoot: false, steps: [['install', 'redis']] },
]

let found: Promise<string> | undefined

/** The path of a Redis (or Valkey) server binary, installing it if needed. */
export function findRedisServer(): Promise<string> {
  found ??= findOrInstall()
  return found
}

async function findOrInstall(): Promise<string> {
  const present = await firstOnPath(BINARIES)
  if (present) return present

  const attempted: string[] = []
  for (const manager of PACKAGE_MANAGERS) {
    const program = await firstOnPath([manager.command])
    if (!program) continue
    if (manager.needsRoot && process.getuid?.() !== 0) {
      attempted.push(`${manager.command} needs root`)
      continue
    }
    attempted.push(await install(program, manager))
    const installed = await firstOnPath(BINARIES)
    if (installed) return installed
  }
  throw new Error(whatToDo(attempted))
}

function whatToDo(attempted: readonly string[]): string {
  return [
    'The tests need a Redis server and none was found.',
    `  Looked for ${BINARIES.join(' and ')} on PATH` +
      (attempted.length > 0
        ? `; tried to install one: ${attempted.join('; ')}.`
        : '; found no package manager.'),
    '  Do one of these and run the tests again:',
    '    - set REDIS_URL to a server that may be written to, e.g. REDIS_URL=redis://127.0.0.1:6379',
    '    - install one: sudo apt-get install redis-server | sudo apk add redis | sudo dnf install valkey | brew install redis',
  ].join('\n')
}

/** Runs the steps; another process may hold the package manager's lock, so it tries a few times. */
async function install(program: string, manager: PackageManager): Promise<string> {
  process.stderr.write(`[redis] no redis-server on PATH, installing it with ${manager.command} ...\n`)
  let report = ''
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    for (const step of manager.steps) {
      const { code, output } = await run(program, step)
      report = `${manager.command} ${step.join(' ')} ended with ${code}: ${lastLine(output)}`
      // A failed refresh of the package list is no reason to stop: the list at hand may do.
      if (code === 0 && step === manager.steps.at(-1)) return report
    }
    if (await firstOnPath(BINARIES)) return report
  }
  return report
}

function run(program: string, args: readonly string[]): Promise<{ code: number | string; output: string }> {
  return new Promise((resolve) => {
    let output = ''
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: INSTALL_TIMEOUT,
      // RUNLEVEL=1 keeps Debian's maintainer scripts from starting the service as a side effect.
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1', HOMEBREW_NO_AUTO_UPDATE: '1' },
    })
    child.stdout.on('data', (chunk) => (output += chunk))
    child.stderr.on('data', (chunk) => (output += chunk))
    child.once('error', (error) => resolve({ code: 'error', output: error.message }))
    child.once('close', (code, signal) => resolve({ code: code ?? signal ?? 'unknown', output }))
  })
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? ''
}

async function firstOnPath(names: readonly string[]): Promise<string | undefined> {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter).filter(Boolean), ...EXTRA_FOLDERS]
  for (const name of names) {
    for (const folder of folders) {
      const path = join(folder, name)
      const runnable = await access(path, constants.X_OK).then(
        () => true,
        () => false,
      )
      if (runnable) return path
    }
  }
  return undefined
}
