/**
 * A real Redis Cluster of the test's own: three masters with a replica each, on free ports of 127.0.0.1.
 *
 * Invariant: resolves only once all six nodes agree that every slot is served and every replica follows its master.
 */
import { createClient } from 'redis'
import { freePort, type RedisServer, startRedisServer } from './redis-server.ts'

const MASTERS = 3
const SLOTS = 16_384
const FORM_TIMEOUT = 20_000

export interface RedisCluster {
  readonly nodes: readonly { readonly host: string; readonly port: number }[]
  /** In order: three masters, then the replica of each. */
  readonly servers: readonly RedisServer[]
  stop(): Promise<void>
}

export async function startRedisCluster(): Promise<RedisCluster> {
  const starting = Array.from({ length: 2 * MASTERS }, async () => {
    const busPort = await freePort()
    const server = await startRedisServer({
      args: [
        ...['--cluster-enabled', 'yes', '--cluster-port', String(busPort)],
        ...['--cluster-node-timeout', '500', '--cluster-replica-validity-factor', '0'],
        ...['--repl-diskless-sync-delay', '0', '--cluster-allow-replica-migration', 'no'],
      ],
    })
    return { server, busPort }
  })
  const started = (await Promise.allSettled(starting)).flatMap((outcome) =>
    outcome.status === 'fulfilled' ? [outcome.value] : [],
  )
  const servers = started.map(({ server }) => server)
  const stop = async () => {
    await Promise.all(servers.map((server) => server.stop()))
  }
  try {
    if (started.length < 2 * MASTERS) throw new Error('a node of the cluster did not start')
    await form(started)
  } catch (error) {
    await stop()
    throw error
  }
  return { nodes: servers.map(({ port }) => ({ host: '127.0.0.1', port })), servers, stop }
}

async function form(nodes: readonly { server: RedisServer; busPort: number }[]): Promise<void> {
  const clients = await Promise.all(
    nodes.map(async ({ server }) => {
      const client = createClient({ url: server.url })
      client.on('error', () => undefined)
      await client.connect()
      return client
    }),
  )
  const ask = async (node: number, ...args: string[]) => String(await clients[node]!.sendCommand(args))
  const all = (check: (node: number) => Promise<boolean>) => async () =>
    (await Promise.all(nodes.map((_, node) => check(node)))).every(Boolean)
  try {
    for (const node of nodes.keys()) await ask(node, 'CLUSTER', 'SET-CONFIG-EPOCH', String(node + 1))
    for (let master = 0; master < MASTERS; master++) {
      const from = Math.ceil((SLOTS * master) / MASTERS)
      const to = Math.ceil((SLOTS * (master + 1)) / MASTERS) - 1
      await ask(master, 'CLUSTER', 'ADDSLOTSRANGE', String(from), String(to))
    }
    for (const { server, busPort } of nodes.slice(1)) {
      await ask(0, 'CLUSTER', 'MEET', '127.0.0.1', String(server.port), String(busPort))
    }
    await until(
      'all nodes know each other',
      all(async (node) => {
        const known = await ask(node, 'CLUSTER', 'NODES')
        return known.trim().split('\n').length === nodes.length && !known.includes('handshake')
      }),
    )
    for (let replica = MASTERS; replica < nodes.length; replica++) {
      await ask(replica, 'CLUSTER', 'REPLICATE', await ask(replica - MASTERS, 'CLUSTER', 'MYID'))
    }
    await until(
      'all nodes see all slots and replicas',
      all(async (node) => {
        const info = await ask(node, 'CLUSTER', 'INFO')
        const known = await ask(node, 'CLUSTER', 'NODES')
        return info.includes('cluster_state:ok') && known.match(/\bslave\b/g)?.length === MASTERS
      }),
    )
    await until('every replica follows its master', async () => {
      const infos = await Promise.all(
        nodes.slice(MASTERS).map((_, index) => ask(MASTERS + index, 'INFO', 'replication')),
      )
      return infos.every((info) => info.includes('master_link_status:up'))
    })
  } finally {
    for (const client of clients) client.destroy()
  }
}

/** Waits for a condition, asking again and again; fails with what was awaited. */
export async function until(what: string, isTrue: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + FORM_TIMEOUT
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error(`waited ${FORM_TIMEOUT} ms in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
