/** Every way in which a RedisStorage reaches its server: its own client, and those that a user may give. */
import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis'
import { Cluster as Cluster6, Redis as Redis6 } from 'ioredis6'
import {
  createClient as createClient5,
  createCluster as createCluster5,
  createSentinel as createSentinel5,
} from 'redis'
import {
  createClient as createClient6,
  createCluster as createCluster6,
  createSentinel as createSentinel6,
} from 'redis6'
import {
  type RedisClient,
  RedisStorage,
  type RedisStorageOptions,
} from '../../../src/storages/redis/index.ts'
import type { RedisCluster } from '../../servers/redis-cluster.ts'
import type { RedisSentinel } from '../../servers/redis-sentinel.ts'

export interface Connected {
  /** What a storage is made with to use it; any number may be. */
  readonly options: RedisStorageOptions
  end(): unknown
}

type Connect<Target> = Readonly<Record<string, (target: Target) => Promise<Connected>>>

export const toServer: Connect<string> = {
  'its own client': async (url) => ({ options: { url }, end: () => undefined }),
  'node-redis 5': (url) => nodeRedis(createClient5({ url })),
  'node-redis 6': (url) => nodeRedis(createClient6({ url })),
  'ioredis 5': (url) => ioredis(new Redis5(url)),
  'ioredis 6': (url) => ioredis(new Redis6(url)),
}

export const toCluster: Connect<RedisCluster> = {
  'node-redis 5': (cluster) => nodeRedis(createCluster5({ rootNodes: urlsOf(cluster) })),
  'node-redis 6': (cluster) => nodeRedis(createCluster6({ rootNodes: urlsOf(cluster) })),
  'ioredis 5': ({ nodes }) => ioredis(new Cluster5([...nodes])),
  'ioredis 6': ({ nodes }) => ioredis(new Cluster6([...nodes])),
}

export const toSentinel: Connect<RedisSentinel> = {
  'node-redis 5': ({ name, sentinels }) =>
    nodeRedis(createSentinel5({ name, sentinelRootNodes: [...sentinels] })),
  'node-redis 6': ({ name, sentinels }) =>
    nodeRedis(createSentinel6({ name, sentinelRootNodes: [...sentinels] })),
  'ioredis 5': ({ name, sentinels }) => ioredis(new Redis5({ name, sentinels: [...sentinels] })),
  'ioredis 6': ({ name, sentinels }) => ioredis(new Redis6({ name, sentinels: [...sentinels] })),
}

export interface Opened {
  readonly storage: RedisStorage
  close(): Promise<void>
}

/** A storage over a connection of its own. */
export async function open(
  connect: (url: string) => Promise<Connected>,
  url: string,
  more: RedisStorageOptions = {},
): Promise<Opened> {
  const { options, end } = await connect(url)
  const storage = new RedisStorage({ ...options, ...more })
  return {
    storage,
    async close() {
      await storage.close()
      await end()
    },
  }
}

async function nodeRedis(
  client: RedisClient & { connect(): Promise<unknown>; destroy(): unknown; readonly isOpen: boolean },
): Promise<Connected> {
  client.on('error', () => undefined)
  await client.connect()
  return { options: { client }, end: () => client.isOpen && client.destroy() }
}

async function ioredis(client: RedisClient & { disconnect(): void }): Promise<Connected> {
  client.on('error', () => undefined)
  return { options: { client }, end: () => client.disconnect() }
}

function urlsOf({ nodes }: RedisCluster): { url: string }[] {
  return nodes.map(({ host, port }) => ({ url: `redis://${host}:${port}` }))
}
