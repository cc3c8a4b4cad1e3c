import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis'
import { Cluster as Cluster6, Redis as Redis6 } from 'ioredis6'
import { createClient, createCluster as createCluster5, createSentinel as createSentinel5 } from 'redis'
import { createCluster as createCluster6, createSentinel as createSentinel6 } from 'redis6'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { type RedisClient, RedisStorage } from '../../../src/storages/redis/index.ts'
import { type StorageSubject, storageSuite } from '../../../src/testing/index.ts'
import { type RedisCluster, startRedisCluster } from '../../servers/redis-cluster.ts'
import { type RedisSentinel, startRedisSentinel } from '../../servers/redis-sentinel.ts'
import { type RedisServer, startRedisServer } from '../../servers/redis-server.ts'
import { clients, type Opened } from './clients.ts'

const capabilities = ['getMany', 'setMany', 'deleteMany', 'keys', 'feed', 'lease', 'close'] as const
const hooks = ['reopen', 'cutFeed', 'loseFeed', 'fail', 'recover'] as const
// So that what a stopped server leaves unanswered is given up soon.
const REPLY_TIMEOUT = 300

/** Runs one after the other on every one of these servers, on a connection of its own. */
async function onEach(
  servers: readonly RedisServer[],
  run: (ask: (...command: string[]) => Promise<unknown>) => Promise<unknown>,
): Promise<void> {
  await Promise.all(
    servers.map(async ({ url }) => {
      const client = createClient({ url })
      client.on('error', () => {})
      await client.connect()
      await run((...command) => client.sendCommand(command)).finally(() => client.destroy())
    }),
  )
}

const flush = (servers: readonly RedisServer[]) => onEach(servers, (ask) => ask('FLUSHALL'))

/** Kills the connections that follow, and no writer's: what one of those had in flight may be there or not. */
const killFollowers = (servers: readonly RedisServer[]) =>
  onEach(servers, async (ask) => {
    for (const line of String(await ask('CLIENT', 'LIST', 'TYPE', 'normal')).split('\n')) {
      const id = /^id=(\d+) .* cmd=(?:xread|xrange|xrevrange)\b/.exec(line)?.[1]
      if (id !== undefined) await ask('CLIENT', 'KILL', 'ID', id)
    }
  })

function subjectOf(masters: readonly RedisServer[], open: () => Promise<Opened>) {
  return async (): Promise<StorageSubject> => {
    for (const server of masters) server.kill('SIGCONT')
    await flush(masters)
    const opened: Opened[] = []
    const openOne = async () => {
      const one = await open()
      opened.push(one)
      return one.storage
    }
    return {
      storage: await openOne(),
      reopen: openOne,
      cutFeed: () => killFollowers(masters),
      loseFeed: () => flush(masters),
      fail: () => {
        for (const server of masters) server.kill('SIGSTOP')
      },
      recover: () => {
        for (const server of masters) server.kill('SIGCONT')
      },
      cleanup: async () => {
        for (const server of masters) server.kill('SIGCONT')
        for (const one of opened) await one.close()
      },
    }
  }
}

describe.each(Object.entries(clients))('RedisStorage over one server with %s', (_, open) => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedisServer()
  })
  afterAll(() => server?.stop())
  storageSuite({
    test,
    capabilities: [...capabilities, ...hooks],
    create: () => subjectOf([server], () => open(server.url, { replyTimeout: REPLY_TIMEOUT }))(),
  })
})

function given(client: RedisClient, end: () => unknown): Opened {
  const storage = new RedisStorage({ client, replyTimeout: REPLY_TIMEOUT })
  return {
    storage,
    close: async () => {
      await storage.close()
      await end()
    },
  }
}

describe('over a Cluster', () => {
  let cluster: RedisCluster
  beforeAll(async () => {
    cluster = await startRedisCluster()
  })
  afterAll(() => cluster?.stop())

  const rootNodes = () => cluster.nodes.map(({ host, port }) => ({ url: `redis://${host}:${port}` }))
  const opens: Record<string, () => Promise<Opened>> = {
    'node-redis 5': async () => {
      const client = createCluster5({ rootNodes: rootNodes() })
      await client.connect()
      return given(client, () => client.destroy())
    },
    'node-redis 6': async () => {
      const client = createCluster6({ rootNodes: rootNodes() })
      await client.connect()
      return given(client, () => client.destroy())
    },
    'ioredis 5': async () => {
      const client = new Cluster5([...cluster.nodes])
      return given(client, () => client.disconnect())
    },
    'ioredis 6': async () => {
      const client = new Cluster6([...cluster.nodes])
      return given(client, () => client.disconnect())
    },
  }
  describe.each(Object.entries(opens))('RedisStorage with %s', (_, open) => {
    storageSuite({
      test,
      capabilities: [...capabilities, 'reopen', 'cutFeed', 'loseFeed'],
      create: async () => {
        const { fail, recover, ...subject } = await subjectOf(cluster.servers.slice(0, 3), open)()
        return subject
      },
    })
  })
})

describe('over Sentinel', () => {
  let sentinel: RedisSentinel
  beforeAll(async () => {
    sentinel = await startRedisSentinel()
  })
  afterAll(() => sentinel?.stop())

  const opens: Record<string, () => Promise<Opened>> = {
    'node-redis 5': async () => {
      const client = createSentinel5({ name: sentinel.name, sentinelRootNodes: [...sentinel.sentinels] })
      await client.connect()
      return given(client, () => client.destroy())
    },
    'node-redis 6': async () => {
      const client = createSentinel6({ name: sentinel.name, sentinelRootNodes: [...sentinel.sentinels] })
      await client.connect()
      return given(client, () => client.destroy())
    },
    'ioredis 5': async () => {
      const client = new Redis5({ name: sentinel.name, sentinels: [...sentinel.sentinels] })
      return given(client, () => client.disconnect())
    },
    'ioredis 6': async () => {
      const client = new Redis6({ name: sentinel.name, sentinels: [...sentinel.sentinels] })
      return given(client, () => client.disconnect())
    },
  }
  describe.each(Object.entries(opens))('RedisStorage with %s', (_, open) => {
    storageSuite({
      test,
      capabilities: [...capabilities, 'reopen', 'cutFeed', 'loseFeed'],
      create: async () => {
        const { fail, recover, ...subject } = await subjectOf([sentinel.master], open)()
        return subject
      },
    })
  })
})
