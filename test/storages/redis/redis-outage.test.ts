import { createServer, type Server, type Socket } from 'node:net'
import { createClient } from 'redis'
import { afterEach, describe, expect, test } from 'vitest'
import { RedisStorage, type RedisStorageOptions } from '../../../src/storages/redis/index.ts'
import { until } from '../../servers/redis-cluster.ts'
import { freePort, startRedisServer } from '../../servers/redis-server.ts'
import { open, toServer } from './clients.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function server(options?: Parameters<typeof startRedisServer>[0]) {
  const started = await startRedisServer(options)
  cleanups.push(() => started.stop())
  return started
}

function storageOf(options: string | RedisStorageOptions): RedisStorage {
  const storage = new RedisStorage(options)
  cleanups.push(() => storage.close())
  return storage
}

const works = (storage: RedisStorage) =>
  until('the storage works', () =>
    storage.set('back', 'v').then(
      () => true,
      () => false,
    ),
  )
const unavailable = (reason: RegExp | string) => ({
  code: 'STORAGE_UNAVAILABLE',
  message: typeof reason === 'string' ? expect.stringContaining(reason) : expect.stringMatching(reason),
})

/** Takes connections and never answers. */
async function blackhole(): Promise<Server & { sockets: Set<Socket>; port: number }> {
  const sockets = new Set<Socket>()
  const listener = createServer((socket) => {
    sockets.add(
      socket
        .resume()
        .on('close', () => sockets.delete(socket))
        .on('error', () => undefined),
    )
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy()
    listener.close()
  })
  return Object.assign(listener, { sockets, port: (listener.address() as { port: number }).port })
}

describe('RedisStorage with its own client', () => {
  test('refuses while its server is absent, and works once there is one', async () => {
    const port = await freePort()
    const storage = storageOf(`redis://127.0.0.1:${port}`)
    for (let time = 0; time < 3; time++) {
      await expect(storage.get('a')).rejects.toMatchObject(unavailable(`127.0.0.1:${port}`))
    }
    await server({ port })
    await works(storage)
  })

  test('gives up what a stopped server leaves unanswered, then refuses, then works again', async () => {
    const redis = await server()
    const storage = storageOf({ url: redis.url, replyTimeout: 200, connectTimeout: 200 })
    await storage.set('a', 'v')
    redis.kill('SIGSTOP')
    const outcomes = await Promise.allSettled([
      storage.get('a'),
      storage.getMany(['a']),
      storage.set('a', 'w'),
    ])
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'STORAGE_TIMEOUT' } })
    }
    await expect(storage.get('a')).rejects.toMatchObject(unavailable('unanswered for 200 ms'))
    redis.kill('SIGCONT')
    await works(storage)
  })

  test('says that nothing answers while the port only takes connections, and drops each in time', async () => {
    const { port, sockets } = await blackhole()
    const storage = storageOf({ url: `redis://127.0.0.1:${port}`, connectTimeout: 400 })
    await expect(storage.get('a')).rejects.toMatchObject(unavailable('no answer within 400 ms'))
    await expect(storage.get('a')).rejects.toMatchObject(unavailable('no answer within 400 ms'))
    await until('a second attempt was made', async () => sockets.size === 1)
    await until('it was dropped', async () => sockets.size === 0)
    await storage.close()
  })

  test('rejects what is in flight when its server is killed, and works after the restart', async () => {
    const redis = await server()
    const storage = storageOf(redis.url)
    await storage.set('a', 'v')
    redis.kill('SIGSTOP')
    const asked = storage.get('a')
    redis.kill('SIGKILL')
    await expect(asked).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
    await expect(storage.get('a')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
    await redis.exited
    await server({ port: redis.port })
    await works(storage)
    expect(await storage.get('a')).toBeNull()
  })

  test('closes at once while its server hangs or is absent', async () => {
    const absent = new RedisStorage(`redis://127.0.0.1:${await freePort()}`)
    await absent.close()
    await absent.close()
    await expect(absent.get('a')).rejects.toMatchObject(unavailable('closed'))
    const { port, sockets } = await blackhole()
    const hanging = new RedisStorage(`redis://127.0.0.1:${port}`)
    await until('it is connected', async () => sockets.size === 1)
    await hanging.close()
    await until('it is gone', async () => sockets.size === 0)
  })

  test('tells a wrong password, without quoting it, and works once it is right', async () => {
    const redis = await server({ args: ['--requirepass', 'correct'] })
    const storage = storageOf(`redis://:hush-hush@127.0.0.1:${redis.port}`)
    const refusal = await storage.get('a').catch((error: Error) => error)
    expect(refusal).toMatchObject(unavailable('WRONGPASS'))
    expect(String(refusal)).not.toContain('hush')
    const admin = createClient({ url: `redis://:correct@127.0.0.1:${redis.port}` })
    await admin.connect()
    cleanups.push(() => admin.destroy())
    await admin.configSet('requirepass', 'hush-hush')
    await works(storage)
    await expect(storageOf(redis.url).get('a')).rejects.toMatchObject(unavailable('NOAUTH'))
  })

  test('logs in as the user of the URL, percent-decoded', async () => {
    const redis = await server({
      args: ['--user', 'me@home', 'on', '>p:/s', '~*', '+@all', '--user', 'default', 'off'],
    })
    const storage = storageOf(`redis://me%40home:p%3A%2Fs@127.0.0.1:${redis.port}`)
    await storage.set('a', 'v')
    expect(await storage.get('a')).toBe('v')
  })

  test('keeps to the database of the URL, after a reconnection too', async () => {
    const redis = await server()
    const storage = storageOf(`${redis.url}/7`)
    const admin = createClient({ url: `${redis.url}/7` })
    await admin.connect()
    cleanups.push(() => admin.destroy())
    await storage.set('a', 'v')
    expect(await admin.get('a')).toBe('v')
    await admin.sendCommand(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'])
    await works(storage)
    expect(await storage.get('a')).toBe('v')
    expect(await storageOf(redis.url).get('a')).toBeNull()
  })

  test('refuses while the server takes no more clients, and works once it does', async () => {
    const redis = await server({ args: ['--maxclients', '2'] })
    const others = await Promise.all([1, 2].map(() => createClient({ url: redis.url }).connect()))
    const storage = storageOf(redis.url)
    await expect(storage.get('a')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
    others[0]!.destroy()
    cleanups.push(() => others[1]!.destroy())
    await works(storage)
  })

  test('has its first operations wait for the first attempt, but no longer than its own deadline', async () => {
    const { port } = await blackhole()
    const storage = storageOf({ url: `redis://127.0.0.1:${port}`, connectTimeout: 60_000, replyTimeout: 100 })
    await expect(storage.get('a')).rejects.toMatchObject({ code: 'STORAGE_TIMEOUT' })
  })
})

describe.each(Object.entries(toServer))('RedisStorage over %s', (_, connect) => {
  test('refuses once its server was killed, and works after the restart', async () => {
    const redis = await server()
    const { storage, close } = await open(connect, redis.url)
    cleanups.push(close)
    await storage.set('a', 'v')
    redis.kill('SIGSTOP')
    const asked = storage.get('a')
    redis.kill('SIGKILL')
    await expect(asked).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
    for (let time = 0; time < 3; time++) {
      await expect(storage.get('a')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
      await expect(storage.setMany([{ key: 'a', value: 'w' }])).rejects.toMatchObject(unavailable(''))
      await expect(storage.add('a', 'w')).rejects.toMatchObject(unavailable(''))
      await expect(storage.feed.append(['m'])).rejects.toMatchObject(unavailable(''))
      await expect(storage.lease.acquire('a', 1_000)).rejects.toMatchObject(unavailable(''))
      await expect(storage.lease.renew?.('a', 't', 1_000)).rejects.toMatchObject(unavailable(''))
      await expect(storage.lease.release('a', 't')).rejects.toMatchObject(unavailable(''))
    }
    await redis.exited
    await server({ port: redis.port })
    await works(storage)
    expect(await storage.getMany(['a', 'back'])).toEqual([null, 'v'])
  })
})
