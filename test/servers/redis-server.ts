/**
 * A real Redis server of the test's own: started on a free port of 127.0.0.1, stopped by its pid.
 *
 * Invariants: the promise of `startRedisServer` resolves only once the server answers; a server never outlives
 * the process that started it (an exit hook kills what was not stopped; of signals only SIGKILL goes past it); the
 * temporary folder goes with it, a folder given by the caller stays, so that a restart with `{ port, dir }` finds its
 * data again.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findRedisServer } from './redis-binary.ts'

export { findRedisServer } from './redis-binary.ts'

const START_TIMEOUT = 20_000
const STOP_TIMEOUT = 5_000
const PORT_ATTEMPTS = 5

export interface RedisServerOptions {
  /** Default: a free one. */
  readonly port?: number | undefined
  /**
   * More arguments, after (so stronger than) the defaults, e.g. `['--requirepass', 'secret']`. A first one that is
   * a path is the configuration file, e.g. `['/tmp/x/sentinel.conf', '--sentinel']`.
   */
  readonly args?: readonly string[] | undefined
  /** Working folder, kept at stop. Default: a temporary one, removed at stop. */
  readonly dir?: string | undefined
}

export interface RedisServer {
  readonly url: string
  readonly port: number
  readonly pid: number
  readonly dir: string
  /** Resolves when the process has ended, however it ended. */
  readonly exited: Promise<void>
  /** Ends the process (a suspended one too), removes the temporary folder. May be called again. */
  stop(): Promise<void>
  /** Sends a signal, e.g. 'SIGKILL', 'SIGSTOP', 'SIGCONT'. The folder stays until `stop`. */
  kill(signal: NodeJS.Signals): void
}

const running = new Set<ChildProcess>()
const temporaryDirs = new Set<string>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
  for (const dir of temporaryDirs) rmSync(dir, { recursive: true, force: true })
})
// What ends a process at once runs no exit hook, and Redis does not heed the end of its terminal.
for (const [signal, code] of [
  ['SIGHUP', 129],
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.on(signal, () => {
    // Who listens as well has an end of its own in mind.
    if (process.listenerCount(signal) === 1) process.exit(code)
  })
}

/** Starts a server without persistence and waits until it answers PING. */
export async function startRedisServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  const binary = await findRedisServer()
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'stackquery-redis-')))
  if (options.dir === undefined) temporaryDirs.add(dir)
  const removeDir = async () => {
    if (temporaryDirs.delete(dir)) await rm(dir, { recursive: true, force: true })
  }
  let failure: unknown
  // Between finding a free port and the server's bind, another process may take it.
  for (let attempt = 0; attempt < (options.port === undefined ? PORT_ATTEMPTS : 1); attempt++) {
    try {
      return await start(binary, options.port ?? (await freePort()), dir, options.args ?? [], removeDir)
    } catch (error) {
      failure = error
      if (!/already in use/i.test(String(error))) break
    }
  }
  await removeDir()
  throw failure
}

async function start(
  binary: string,
  port: number,
  dir: string,
  args: readonly string[],
  removeDir: () => Promise<void>,
): Promise<RedisServer> {
  const defaults = ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--daemonize', 'no']
  const noPersistence = ['--save', '', '--appendonly', 'no']
  const [first, ...rest] = args
  // Redis takes a configuration file as its first argument only.
  const all =
    first?.startsWith('-') === false
      ? [first, ...defaults, ...rest]
      : [...defaults, ...noPersistence, ...args]
  const child = spawn(binary, all, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  const keepTail = (chunk: Buffer) => {
    output = (output + chunk).slice(-4_000)
  }
  child.stdout.on('data', keepTail)
  child.stderr.on('data', keepTail)
  running.add(child)
  let hasExited = false
  const exited = new Promise<void>((resolve) => {
    const ended = () => {
      hasExited = true
      running.delete(child)
      resolve()
    }
    child.once('error', (error) => {
      output += error.message
      ended()
    })
    child.once('exit', ended)
  })
  // The server is stopped by `stop`; until then it must not keep a finished test process alive.
  child.unref()

  const deadline = Date.now() + START_TIMEOUT
  while (!((await answersPing(port)) && (await isProcess(port, child.pid)))) {
    if (hasExited) throw new Error(`${binary} on port ${port} ended at its start:\n${output.trim()}`)
    if (Date.now() > deadline) {
      child.kill('SIGKILL')
      throw new Error(
        `${binary} on port ${port} did not answer PING in ${START_TIMEOUT} ms:\n${output.trim()}`,
      )
    }
    await new Promise((resolve) => setTimeout(resolve, 15))
  }

  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    pid: child.pid as number,
    dir,
    exited,
    kill(signal) {
      if (!hasExited) child.kill(signal)
    },
    async stop() {
      if (!hasExited) {
        child.ref()
        child.kill('SIGTERM')
        child.kill('SIGCONT')
        const force = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT)
        await exited
        clearTimeout(force)
      }
      await removeDir()
    },
  }
}

/** A TCP port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve((address as { port: number }).port))
    })
  })
}

/** True where something that speaks Redis answers; a demand for a password is an answer, "loading" is not. */
export async function answersPing(port: number, host = '127.0.0.1', timeout = 1_000): Promise<boolean> {
  const reply = await ask('PING', port, host, timeout)
  return /^[+-]/.test(reply) && !reply.startsWith('-LOADING')
}

/** False where another server answers on a port that ours failed to bind. */
async function isProcess(port: number, pid: number | undefined): Promise<boolean> {
  const reply = await ask('INFO server', port, '127.0.0.1', 1_000, /process_id:\d+\r\n|^[+-].*\r\n/)
  // An error reply (a password is wanted) leaves only PING to go by.
  return reply.startsWith('-') || reply.includes(`process_id:${pid}\r\n`)
}

/** Sends one inline command over a raw socket; what was answered, or '' where nothing was. */
function ask(command: string, port: number, host: string, timeout: number, until = /\r\n/): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host })
    let reply = ''
    const done = () => {
      socket.destroy()
      resolve(reply)
    }
    socket.setTimeout(timeout, done)
    socket.once('error', done)
    socket.once('close', done)
    socket.once('connect', () => socket.write(`${command}\r\n`))
    socket.on('data', (chunk) => {
      reply += chunk
      if (until.test(reply)) done()
    })
  })
}
