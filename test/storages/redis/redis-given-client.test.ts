import { randomUUID } from 'node:crypto'
import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis'
import { Redis as Redis6 } from 'ioredis6'
import { createClient as createClient5, createClientPool, createCluster } from 'redis'
import { createClient as createClient6, RESP_TYPES } from 'redis6'
import { afterEach, describe, expect, test } from 'vitest'
import { type RedisClient, RedisStorage } from '../../../src/storages/redis/index.ts'
import { freePort, startRedisServer } from '../../servers/redis-server.ts'
import { redisUrl } from '../../servers/redis-url.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const makers = {
  'node-redis 5': (url: string) => {
    const client = createClient5({ url })
    return { client, end: () => client.isOpen && client.destroy(), connect: () => client.connect() }
  },
  'node-redis 6': (url: string) => {
    const client = createClient6({ url })
    return { client, end: () => client.isOpen && client.destroy(), connect: () => client.connect() }
  },
  'ioredis 5': (url: string) => {
    const client = new Redis5(url)
    return { client, end: () => client.disconnect(), connect: async () => undefined }
  },
  'ioredis 6': (url: string) => {
    const client = new Redis6(url)
    return { client, end: () => client.disconnect(), connect: async () => undefined }
  },
}

describe.each(Object.entries(makers))('RedisStorage given a client of %s', (_, make) => {
  test('leaves it open when it closes, and takes its listeners back', async () => {
    const { client, end, connect } = make(redisUrl())
    cleanups.push(end)
    await connect()
    const emitter = client as unknown as NodeJS.EventEmitter
    const events = ['error', 'close', 'reconnecting', 'end', 'ready']
    const listeners = () => events.map((event) => emitter.listenerCount(event))
    const before = listeners()
    const storage = new RedisStorage({ client })
    await storage.set('given', 'v')
    await storage.close()
    expect(listeners()).toEqual(before)
    expect(await client.get('given')).toBe('v')
  })

  test('survives its error events, and gives up what a stopped server leaves unanswered', async () => {
    const server = await startRedisServer()
    cleanups.push(() => server.stop())
    const { client, end, connect } = make(server.url)
    cleanups.push(end)
    await connect()
    const storage = new RedisStorage({ client, replyTimeout: 100 })
    await storage.set('a', 'v')
    server.kill('SIGSTOP')
    await expect(storage.get('a')).rejects.toMatchObject({ code: 'STORAGE_TIMEOUT' })
    await expect(storage.getMany(['a'])).rejects.toMatchObject({ code: 'STORAGE_TIMEOUT' })
    server.kill('SIGCONT')
    expect(await storage.get('a')).toBe('v')
    // With no listener of the user's, the error of the lost connection would end this process.
    await server.stop()
    await expect(storage.get('a')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
  })

  test('refuses at once what its own queue would keep for a server that is absent', async () => {
    const { client, end, connect } = make(`redis://127.0.0.1:${await freePort()}`)
    cleanups.push(end)
    const storage = new RedisStorage({ client })
    connect().catch(() => undefined)
    await expect(storage.get('a')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
    await expect(storage.deleteMany(['a', 'b'])).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
  })
})

test('a Cluster whose nodes are all absent is refused at once', async () => {
  const port = await freePort()
  const io = new Cluster5([{ host: '127.0.0.1', port }])
  cleanups.push(() => io.disconnect())
  const node = createCluster({ rootNodes: [{ url: `redis://127.0.0.1:${port}` }] })
  for (const client of [io, node]) {
    const storage = new RedisStorage({ client })
    if (client === node) await node.connect().catch(() => undefined)
    for (let time = 0; time < 2; time++) {
      await expect(storage.get('a')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
    }
    await expect(storage.keys('').next()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
  }
})

test('an ioredis client that connects only when asked is asked', async () => {
  const client = new Redis5(redisUrl(), { lazyConnect: true })
  cleanups.push(() => client.disconnect())
  expect(await new RedisStorage({ client }).get('lazy')).toBeNull()
})

test('a node-redis client that was never connected is refused, saying so', async () => {
  const storage = new RedisStorage({ client: createClient5({ url: redisUrl() }) })
  await expect(storage.get('a')).rejects.toThrow(/not open/)
})

test.each([
  ['ioredis', (prefix: string) => new Redis5(redisUrl(), { keyPrefix: prefix })],
  ['node-redis 6', (prefix: string) => createClient6({ url: redisUrl(), keyPrefix: prefix })],
])('the key prefix of a client of %s is before every key, and not in what is listed', async (_, make) => {
  const prefix = `[${randomUUID()}]:`
  const client = make(prefix)
  cleanups.push(() => ('destroy' in client ? client.destroy() : client.disconnect()))
  if (!('status' in client)) await client.connect()
  const storage = new RedisStorage({ client: client as RedisClient })
  const plain = new RedisStorage(redisUrl())
  cleanups.push(() => plain.close())
  await storage.set('a', '1')
  await storage.setMany([{ key: 'b', value: '2', ttl: 60_000 }])
  expect(await plain.getMany([`${prefix}a`, `${prefix}b`])).toEqual(['1', '2'])
  expect(await storage.getMany(['a', 'b'])).toEqual(['1', '2'])
  const listed: string[] = []
  for await (const key of storage.keys('')) listed.push(key)
  expect(listed.sort()).toEqual(['a', 'b'])
  await storage.deleteMany(['a'])
  await storage.delete('b')
  expect(await plain.getMany([`${prefix}a`, `${prefix}b`])).toEqual([null, null])
})

test('replies are strings even where a node-redis client maps them to buffers', async () => {
  const client = createClient6({
    url: redisUrl(),
    commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
  })
  await client.connect()
  cleanups.push(() => client.destroy())
  const storage = new RedisStorage({ client: client as unknown as RedisClient })
  await storage.set('mapped', 'v')
  expect(await storage.get('mapped')).toBe('v')
  expect(await storage.getMany(['mapped'])).toEqual(['v'])
})

test('what is no client, or reads from replicas, is refused at construction', async () => {
  const given = (client: unknown) => () => new RedisStorage({ client: client as RedisClient })
  const invalid = expect.objectContaining({ code: 'INVALID_OPTION' })
  expect(given(null)).toThrow(invalid)
  expect(given('redis://x')).toThrow(invalid)
  expect(given(new Map())).toThrow(/an object of Map/)
  expect(given(createClientPool({ url: redisUrl() }))).toThrow(invalid)
  const cluster = new Cluster5([{ host: '127.0.0.1', port: 1 }], { scaleReads: 'all', lazyConnect: true })
  expect(given(cluster)).toThrow(/scaleReads/)
})
