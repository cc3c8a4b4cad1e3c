/**
 * A master, its replica, and a Sentinel that fails over by itself. The replica hears its master through a route that can be
 * made silent: it then lacks what the master acknowledges, for good if the master dies meanwhile.
 */

import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, startRedis } from '../../faults/redis-process.mjs'
import { until } from './moment.mjs'
import { startRoute } from './route.mjs'

const NAME = 'main'

export async function startSentinel() {
  const master = await startRedis({ args: ['--repl-diskless-sync-delay', '0'] })
  const route = await startRoute(master.port)
  const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', new URL(route.url).port] })
  await until('the replica follows its master', async () =>
    (await ask(replica.port, 'INFO replication')).includes('master_link_status:up'),
  )
  const folder = mkdtempSync(join(tmpdir(), 'stackquery-sentinel-'))
  const port = await freePort()
  const settings = [
    `port ${port}`,
    `dir ${folder}`,
    `sentinel monitor ${NAME} 127.0.0.1 ${master.port} 1`,
    `sentinel down-after-milliseconds ${NAME} 300`,
    `sentinel failover-timeout ${NAME} 2000`,
  ]
  writeFileSync(join(folder, 'sentinel.conf'), `${settings.join('\n')}\n`)
  const binary = process.env['REDIS_SERVER'] ?? 'redis-server'
  const sentinel = spawn(binary, [join(folder, 'sentinel.conf'), '--sentinel'], { stdio: 'ignore' })
  process.on('exit', () => sentinel.kill('SIGKILL'))
  await until('the Sentinel knows the replica', async () =>
    (await ask(port, `SENTINEL REPLICAS ${NAME}`)).includes('master-link-status\r\n$2\r\nok'),
  )
  return {
    name: NAME,
    sentinels: [{ host: '127.0.0.1', port }],
    /** The replica hears nothing from now on. */
    fallBehind: () => route.set('silent'),
    async killMaster() {
      route.set('closed')
      await master.stop()
    },
    async close() {
      sentinel.kill('SIGKILL')
      await Promise.all([master.stop(), replica.stop()])
      route.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The reply to one inline command, or '' where nobody answers. A Sentinel knows no QUIT. */
function ask(port, command) {
  return new Promise((resolve) => {
    let reply = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(`${command}\r\n`))
    socket.on('data', (chunk) => {
      reply += chunk
      socket.setTimeout(20)
    })
    socket.setTimeout(1_000)
    socket.on('timeout', () => socket.destroy())
    socket.on('error', () => {})
    socket.on('close', () => resolve(reply))
  })
}
