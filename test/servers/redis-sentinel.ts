/**
 * A master, its replica and a Sentinel that watches them, of the test's own, on free ports of 127.0.0.1.
 *
 * One Sentinel with a quorum of one fails over by itself. Invariant: resolves only once the Sentinel knows the
 * replica, since before that it has nothing to fail over to.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from 'redis'
import { until } from './redis-cluster.ts'
import { type RedisServer, startRedisServer } from './redis-server.ts'

export interface RedisSentinel {
  /** The name under which the Sentinel knows the master. */
  readonly name: string
  readonly sentinels: readonly { readonly host: string; readonly port: number }[]
  readonly master: RedisServer
  readonly replica: RedisServer
  stop(): Promise<void>
}

export async function startRedisSentinel(): Promise<RedisSentinel> {
  const dir = await mkdtemp(join(tmpdir(), 'stackquery-sentinel-'))
  const running: RedisServer[] = []
  const start = async (options: Parameters<typeof startRedisServer>[0]) => {
    const server = await startRedisServer(options)
    running.push(server)
    return server
  }
  const stop = async () => {
    await Promise.all(running.map((server) => server.stop()))
    await rm(dir, { recursive: true, force: true })
  }
  try {
    const master = await start({ args: ['--repl-diskless-sync-delay', '0'] })
    const replica = await start({ args: ['--replicaof', '127.0.0.1', String(master.port)] })
    const config = [
      `sentinel monitor main 127.0.0.1 ${master.port} 1`,
      'sentinel down-after-milliseconds main 300',
      'sentinel failover-timeout main 2000',
    ]
    await writeFile(join(dir, 'sentinel.conf'), `${config.join('\n')}\n`)
    const sentinel = await start({ dir, args: [join(dir, 'sentinel.conf'), '--sentinel'] })
    await untilReplicaIsKnown(sentinel, replica)
    const sentinels = [{ host: '127.0.0.1', port: sentinel.port }]
    return { name: 'main', sentinels, master, replica, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function untilReplicaIsKnown(sentinel: RedisServer, replica: RedisServer): Promise<void> {
  const [asSentinel, asReplica] = [createClient({ url: sentinel.url }), createClient({ url: replica.url })]
  for (const client of [asSentinel, asReplica]) client.on('error', () => undefined)
  try {
    await Promise.all([asSentinel.connect(), asReplica.connect()])
    await until('the replica follows its master', async () =>
      String(await asReplica.sendCommand(['INFO', 'replication'])).includes('master_link_status:up'),
    )
    await until('the Sentinel knows the replica and its state', async () => {
      const known = String(await asSentinel.sendCommand(['SENTINEL', 'REPLICAS', 'main']))
      return known.includes(`,${replica.port},`) && known.includes('master-link-status,ok')
    })
  } finally {
    asSentinel.destroy()
    asReplica.destroy()
  }
}
