/** `stackquery/redis`: the public names, nothing else. */
export type { IORedisClient, IORedisClusterClient } from './ioredis-commands.ts'
export type {
  NodeRedisClient,
  NodeRedisClusterClient,
  NodeRedisSentinelClient,
} from './node-redis-commands.ts'
export type { RedisClient, RedisStorageOptions, RedisTlsOptions } from './redis-options.ts'
export { RedisStorage } from './redis-storage.ts'
