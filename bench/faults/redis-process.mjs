// @ts-check
/** A Redis server that can be stopped, killed and started again on its port, and a route to it that can go silent. */
import { spawn } from 'node:child_process'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** @param {{ port?: number, args?: string[] }} [options] */
export async function startRedis({ port, args = [] } = {}) {
  const chosen = port ?? (await freePort())
  const binary = process.env['REDIS_SERVER'] ?? 'redis-server'
  const child = spawn(
    binary,
    ['--port', String(chosen), '--bind', '127.0.0.1', '--save', '', '--dir', tmpdir(), ...args],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  running.add(child)
  await new Promise((resolve, reject) => {
    child.once('error', () => reject(new Error(`${binary} is not installed: install it or set REDIS_SERVER`)))
    child.once('exit', (code) => reject(new Error(`${binary} on port ${chosen} ended with ${code}`)))
    child.stdout.on('data', (chunk) => {
      if (String(chunk).includes('Ready to accept connections')) resolve(undefined)
    })
  })
  return {
    port: chosen,
    url: `redis://127.0.0.1:${chosen}`,
    /** @param {NodeJS.Signals} signal */
    kill: (signal) => child.kill(signal),
    /** @returns {Promise<void>} */
    stop: () =>
      new Promise((resolve) => {
        running.delete(child)
        if (child.exitCode !== null || child.signalCode !== null) return resolve()
        child.once('exit', () => resolve())
        child.kill('SIGKILL')
      }),
  }
}

/** @returns {Promise<number>} */
export function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (probe.address())
      probe.close(() => resolve(port))
    })
  })
}

/**
 * A route to `targetPort`. While it is silent nothing passes, not even the end of a connection; what was sent comes late.
 *
 * @param {number} targetPort
 */
export async function startRoute(targetPort) {
  let isSilent = false
  /** @type {Set<import('node:net').Socket>} */
  const sockets = new Set()
  const server = createServer((near) => {
    const far = connect(targetPort, '127.0.0.1')
    /** @type {[import('node:net').Socket, import('node:net').Socket][]} */
    const ways = [
      [near, far],
      [far, near],
    ]
    for (const [from, to] of ways) {
      sockets.add(from)
      from.on('error', () => {})
      from.on('close', () => sockets.delete(from))
      from.pipe(to)
      // After `pipe`, which lets it flow.
      if (isSilent) from.pause()
    }
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  return {
    url: `redis://127.0.0.1:${port}`,
    /** @param {boolean} silent */
    setSilent(silent) {
      isSilent = silent
      for (const socket of sockets) silent ? socket.pause() : socket.resume()
    },
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
