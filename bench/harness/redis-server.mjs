/** A Redis server of the bench's own, on a free port and without persistence; REDIS_URL is used where it is set. */

import { spawn } from 'node:child_process'
import { createServer } from 'node:net'

export async function startRedis() {
  if (process.env.REDIS_URL) return { url: process.env.REDIS_URL, stop: async () => {} }
  const port = await freePort()
  const binary = process.env.REDIS_SERVER ?? 'redis-server'
  const server = spawn(
    binary,
    ['--port', port, '--save', '', '--appendonly', 'no', '--bind', '127.0.0.1'].map(String),
  )
  await new Promise((resolve, reject) => {
    let output = ''
    server.once('error', () =>
      reject(
        new Error(
          `${binary} is not installed; install it or set REDIS_URL to a server that may be written to`,
        ),
      ),
    )
    server.once('exit', (code) => reject(new Error(`redis-server ended with ${code}\n${output}`)))
    server.stdout.on('data', (chunk) => {
      output += chunk
      if (/ready to accept connections/i.test(output)) resolve()
    })
  })
  const stop = () =>
    new Promise((resolve) => {
      server.removeAllListeners('exit')
      server.once('exit', resolve)
      server.kill()
    })
  return { url: `redis://127.0.0.1:${port}`, stop }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address()
      probe.close(() => resolve(port))
    })
  })
}
