/** The conformance suite over every client and kind of server. The hooks are real: a killed connection, a flushed or stopped server. */
import { createClient } from 'redis'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { RedisStorage } from '../../../src/storages/redis/index.ts'
import { type StorageSubject, type SuiteCapability, storageSuite } from '../../../src/testing/index.ts'
import { type RedisCluster, startRedisCluster, until } from '../../servers/redis-cluster.ts'
import { type RedisSentinel, startRedisSentinel } from '../../servers/redis-sentinel.ts'
import { type RedisServer, startRedisServer } from '../../servers/redis-server.ts'
import { type Connected, toCluster, toSentinel, toServer } from './clients.ts'

const capabilities: readonly SuiteCapability[] = [
  ...(['getMany', 'setMany', 'deleteMany', 'add', 'keys', 'feed', 'lease', 'renew', 'close'] as const),
  ...(['reopen', 'cutFeed', 'loseFeed'] as const),
]
// So that what a stopped server leaves unanswered is given up soon.
const REPLY_TIMEOUT = 400
const TESTS_BEFORE_FAILOVER = 15

type Admin = ReturnType<typeof createClient>

async function adminsOf(servers: readonly RedisServer[], before: readonly Admin[]): Promise<Admin[]> {
  for (const admin of before) admin.destroy()
  const admins = servers.map(({ url }) => createClient({ url }).on('error', () => undefined))
  await Promise.all(admins.map((admin) => admin.connect()))
  return admins
}

/** Kills the connections that follow, and no writer's: what one of those had in flight may be there or not. */
async function killFollowers(admin: Admin): Promise<void> {
  for (const line of String(await admin.sendCommand(['CLIENT', 'LIST', 'TYPE', 'normal'])).split('\n')) {
    const id = /^id=(\d+) .* cmd=(?:xread|xrange|xrevrange)\b/.exec(line)?.[1]
    if (id !== undefined) await admin.sendCommand(['CLIENT', 'KILL', 'ID', id])
  }
}

interface Events {
  /** Whether the server can be stopped, and goes on as it was. */
  readonly canFail?: boolean
  /** Called before each test of the suite, with a storage over each client. The masters may be others afterwards. */
  readonly before?: (storages: readonly RedisStorage[]) => Promise<void>
}

/** Runs the suite; each storage of it is a new one, over clients that all of them share. */
function suiteOver(
  masters: () => readonly RedisServer[],
  connect: () => Promise<Connected>,
  { canFail = false, before }: Events = {},
) {
  let admins: Admin[] = []
  let connected: Connected[] = []
  beforeAll(async () => {
    admins = await adminsOf(masters(), [])
    connected = await Promise.all([connect(), connect()])
  })
  afterAll(async () => {
    for (const { end } of connected) await end()
    for (const admin of admins) admin.destroy()
  })
  const open = (index: number) =>
    new RedisStorage({ ...connected[index]!.options, replyTimeout: REPLY_TIMEOUT })
  const signal = (name: NodeJS.Signals) => {
    for (const server of masters()) server.kill(name)
  }
  const flush = () => Promise.all(admins.map((admin) => admin.flushAll()))
  const anew = async () => {
    const storage = open(0)
    if (before !== undefined) {
      const other = open(1)
      await before([storage, other])
      await other.close()
      admins = await adminsOf(masters(), admins)
    }
    await flush()
    return storage
  }

  storageSuite({
    test,
    capabilities: canFail ? [...capabilities, 'fail', 'recover'] : capabilities,
    create: async (): Promise<StorageSubject> => {
      return {
        storage: await anew(),
        reopen: () => open(1),
        cutFeed: () => Promise.all(admins.map(killFollowers)),
        loseFeed: flush,
        cleanup: () => signal('SIGCONT'),
        ...(canFail && { fail: () => signal('SIGSTOP'), recover: () => signal('SIGCONT') }),
      }
    },
  })
}

describe('RedisStorage over one server', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedisServer()
  })
  afterAll(() => server?.stop())
  describe.each(Object.entries(toServer))('with %s', (_, connect) => {
    suiteOver(
      () => [server],
      () => connect(server.url),
      { canFail: true },
    )
  })
})

describe('RedisStorage over a Cluster', () => {
  let cluster: RedisCluster
  beforeAll(async () => {
    cluster = await startRedisCluster()
  })
  afterAll(() => cluster?.stop())
  describe.each(Object.entries(toCluster))('with %s', (_, connect) => {
    suiteOver(
      () => cluster.servers.slice(0, 3),
      () => connect(cluster),
    )
  })
})

describe('RedisStorage over Sentinel', () => {
  let sentinel: RedisSentinel
  beforeAll(async () => {
    sentinel = await startRedisSentinel()
  })
  afterAll(() => sentinel?.stop())
  describe.each(Object.entries(toSentinel))('with %s', (_, connect) => {
    suiteOver(
      () => [sentinel.master],
      () => connect(sentinel),
    )
  })
})

describe('RedisStorage over Sentinel, with a failover amid the suite', () => {
  // One client of each family: each needs a master to lose.
  const clients = ['node-redis 6', 'ioredis 6'].map((name) => [name, toSentinel[name]!] as const)
  describe.each(clients)('with %s', (_, connect) => {
    let sentinel: RedisSentinel
    let master: RedisServer
    let tests = 0
    beforeAll(async () => {
      sentinel = await startRedisSentinel()
      master = sentinel.master
    })
    afterAll(() => sentinel?.stop())
    suiteOver(
      () => [master],
      () => connect(sentinel),
      {
        before: async (storages) => {
          if (++tests !== TESTS_BEFORE_FAILOVER) return
          master.kill('SIGKILL')
          await master.exited
          master = sentinel.replica
          // By each client: the longer a failover takes, the longer one may try again after the other.
          for (const storage of storages) {
            await until('the replica is written to', () =>
              storage.set('failover', 'done').then(
                () => true,
                () => false,
              ),
            )
          }
        },
      },
    )
  })
})
