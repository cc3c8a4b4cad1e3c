/** L1 cold, L2 warm, over Redis. */

import { KEYS, overStorage, readCases } from '../harness/l2-read.mjs'
import { LEAST, leastReader, leastText } from '../harness/least.mjs'
import { startRedis } from '../harness/redis-server.mjs'
import { SKELETON, skeletonReader } from '../harness/skeleton.mjs'
import { userOf } from '../harness/user.mjs'

const TTL = 3_600_000
let server

async function ioredis(url, options) {
  const { Redis } = await import('ioredis')
  return new Redis(url, { maxRetriesPerRequest: 1, ...options })
}

/** A library that is made anew before each round, so that its memory is empty. */
function remade(make, { key = (i) => `user:${i}`, close } = {}) {
  let library = make()
  return {
    get: (i) => library.get(key(i)),
    async fill() {
      for (let i = 0; i < KEYS; i++) await library.set(key(i), userOf(i))
    },
    before() {
      library = make()
    },
    close,
  }
}

const stackquery =
  (client) =>
  async ({ url }) => {
    const { RedisStorage } = await import('stackquery/redis')
    const given = await client(url)
    const library = await overStorage(
      () => new RedisStorage(given === undefined ? { url } : { client: given }),
    )
    return {
      ...library,
      async close() {
        await library.close()
        await given?.quit()
      },
    }
  }

export const question = {
  name: 'l2-redis',
  title: 'L1 cold, L2 warm: Redis',
  unit: 'read',
  async setUp() {
    server = await startRedis()
    return { url: server.url }
  },
  tearDown: () => server.stop(),
  cases: readCases({
    'floor: ioredis, auto-pipelined get + JSON.parse': async ({ url }) => {
      const redis = await ioredis(url, { enableAutoPipelining: true })
      return remade(
        () => ({
          get: async (key) => JSON.parse(await redis.get(key)),
          set: (key, data) => redis.set(key, JSON.stringify(data), 'PX', TTL),
        }),
        { key: (i) => `raw:user:${i}`, close: () => redis.quit() },
      )
    },
    'redis, get + JSON.parse': async ({ url }) => {
      const { createClient } = await import('redis')
      const redis = await createClient({ url }).connect()
      return remade(
        () => ({
          get: async (key) => JSON.parse(await redis.get(key)),
          set: (key, data) => redis.set(key, JSON.stringify(data), { PX: TTL }),
        }),
        { key: (i) => `raw2:user:${i}`, close: () => redis.close() },
      )
    },
    [`${LEAST}, MGET`]: async ({ url }) => {
      const { createClient } = await import('redis')
      const redis = await createClient({ url }).connect()
      let gathered = null
      const send = () => {
        const { keys, resolve } = gathered
        gathered = null
        resolve(redis.mGet(keys))
      }
      return leastReader({
        async read(i) {
          if (gathered === null) {
            gathered = { keys: [] }
            gathered.answers = new Promise((resolve) => {
              gathered.resolve = resolve
            })
            queueMicrotask(send)
          }
          const { answers, keys } = gathered
          const place = keys.push(`raw3:user:${i}`) - 1
          return (await answers)[place]
        },
        async fill() {
          for (let i = 0; i < KEYS; i++) await redis.set(`raw3:user:${i}`, leastText(userOf(i)), { PX: TTL })
        },
        close: () => redis.close(),
      })
    },
    [`${SKELETON}, MGET`]: async ({ url }) => {
      const { createClient } = await import('redis')
      const redis = await createClient({ url }).connect()
      return skeletonReader({
        readMany: (names) => redis.mGet(names),
        write: (name, text) => redis.set(name, text, { PX: TTL }),
        close: () => redis.close(),
      })
    },
    stackquery: stackquery(async () => undefined),
    'stackquery over ioredis': stackquery((url) => ioredis(url)),
    bentocache: async ({ url }) => {
      const { BentoCache, bentostore } = await import('bentocache')
      const { memoryDriver } = await import('bentocache/drivers/memory')
      const { redisDriver } = await import('bentocache/drivers/redis')
      const connection = await ioredis(url, { enableAutoPipelining: true })
      const make = () => {
        const store = bentostore()
          .useL1Layer(memoryDriver({ maxItems: KEYS, serialize: false }))
          .useL2Layer(redisDriver({ connection }))
        const bento = new BentoCache({ default: 'two', stores: { two: store } })
        return {
          get: (key) => bento.getOrSet({ key, ttl: TTL, factory: unreachable }),
          set: (key, value) => bento.set({ key, value, ttl: TTL }),
        }
      }
      return remade(make, { close: () => connection.quit() })
    },
    cacheable: async ({ url }) => {
      const { Cacheable, createKeyv } = await import('cacheable')
      const { createKeyv: createRedis } = await import('@keyv/redis')
      const secondary = createRedis(url)
      const make = () => {
        const primary = createKeyv({ useClone: false, lruSize: KEYS })
        const cache = new Cacheable({ primary, secondary, ttl: TTL })
        return { get: (key) => cache.getOrSet(key, unreachable), set: (key, data) => cache.set(key, data) }
      }
      return remade(make, { close: () => secondary.disconnect() })
    },
    'layered-loader': async ({ url }) => {
      const { Loader, RedisCache } = await import('layered-loader')
      const connection = await ioredis(url, { enableAutoPipelining: true })
      const make = () => {
        const asyncCache = new RedisCache(connection, { prefix: 'layered', json: true, ttlInMsecs: TTL })
        const loader = new Loader({
          inMemoryCache: { cacheType: 'lru-object', maxItems: KEYS, ttlInMsecs: TTL },
          asyncCache,
          dataSourceGetOneFn: unreachable,
        })
        return { get: (key) => loader.get(key), set: (key, data) => asyncCache.set(key, data) }
      }
      return remade(make, { close: () => connection.quit() })
    },
    'async-cache-dedupe (no L1)': async ({ url }) => {
      const { createCache } = await import('async-cache-dedupe')
      const client = await ioredis(url, { enableAutoPipelining: true })
      let data
      const cache = createCache({ ttl: TTL / 1000, storage: { type: 'redis', options: { client } } })
      cache.define('load', async () => data ?? unreachable())
      return {
        get: (i) => cache.load(`user:${i}`),
        async fill() {
          for (let i = 0; i < KEYS; i++) {
            data = userOf(i)
            await cache.load(`user:${i}`)
          }
          data = undefined
        },
        close: () => client.quit(),
      }
    },
  }),
}

function unreachable() {
  throw new Error('the origin was called: L2 did not answer')
}
