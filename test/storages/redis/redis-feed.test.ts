import { createClient } from 'redis'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { RedisStorage, type RedisStorageOptions } from '../../../src/storages/redis/index.ts'
import { until } from '../../servers/redis-cluster.ts'
import { freePort, type RedisServer, startRedisServer } from '../../servers/redis-server.ts'
import { startTcpProxy } from '../../servers/tcp-proxy.ts'
import { open, toServer } from './clients.ts'
import { followed, numbers, untilAppended } from './followed.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

function storageOf(options: RedisStorageOptions): RedisStorage {
  const storage = new RedisStorage(options)
  cleanups.push(() => storage.close())
  return storage
}

async function adminOf(url: string) {
  const admin = createClient({ url }).on('error', () => undefined)
  await admin.connect()
  cleanups.push(() => admin.isOpen && admin.destroy())
  return admin
}

type Admin = Awaited<ReturnType<typeof adminOf>>

const list = async (admin: Admin) => String(await admin.sendCommand(['CLIENT', 'LIST']))
const blocked = (text: string) => [...text.matchAll(/^id=(\d+) .* cmd=xread\b/gm)].map(([, id]) => id!)

async function atOnce(admin: Admin, ...commands: string[][]): Promise<void> {
  await Promise.all([['MULTI'], ...commands, ['EXEC']].map((command) => admin.sendCommand(command)))
}

let shared: RedisServer
beforeAll(async () => {
  shared = await startRedisServer()
})
afterAll(() => shared?.stop())

describe.each(Object.entries(toServer))('the feed of RedisStorage with %s', (_, connect) => {
  async function opened(url: string, more?: RedisStorageOptions) {
    const one = await open(connect, url, more)
    cleanups.push(() => one.close())
    return one.storage
  }

  test('brings what many writers append in one order, each appended batch whole and in its own', async () => {
    const writers = await Promise.all(numbers(5).map(() => opened(shared.url)))
    const follower = await followed(writers[0]!)
    const batch = (writer: number, turn: number) =>
      numbers(30).map((message) => `${writer}/${turn}/${message}`)
    await Promise.all(
      writers.map(async (storage, writer) => {
        for (let turn = 0; turn < 10; turn++) await storage.feed.append(batch(writer, turn))
      }),
    )
    await writers[0]!.feed.append(['end'])
    await follower.hears('end')
    const found = follower.messages
    for (let writer = 0; writer < writers.length; writer++) {
      const expected = numbers(10).flatMap((turn) => batch(writer, Number(turn)))
      expect(found.filter((message) => message.startsWith(`${writer}/`))).toEqual(expected)
      const starts = numbers(10).map((turn) => found.indexOf(`${writer}/${turn}/0`))
      for (const [turn, start] of starts.entries()) {
        expect(found.slice(start, start + 30)).toEqual(batch(writer, turn))
      }
    }
    expect(follower.gaps).toEqual([])
  })

  test('brings an append of thousands of messages, and one of large ones, whole and in order', async () => {
    const storage = await opened(shared.url)
    const follower = await followed(storage)
    const large = numbers(20).map((message) => message.padStart(10_000, 'x'))
    await storage.feed.append(numbers(5_000))
    await storage.feed.append([...large, 'end \ud800'])
    await follower.hears('end \ud800')
    expect(follower.messages).toEqual([...numbers(5_000), ...large, 'end \ud800'])
    expect(follower.gaps).toEqual([])
  })

  test('goes on where it was after its connection was killed, again and again, while others write', async () => {
    const [following, writing] = [await opened(shared.url), await opened(shared.url)]
    const admin = await adminOf(shared.url)
    const follower = await followed(following)
    for (let turn = 0; turn < 5; turn++) {
      let ids: string[] = []
      await until('it reads', async () => {
        ids = blocked(await list(admin))
        return ids.length > 0
      })
      await writing.feed.append(numbers(10, turn * 20))
      for (const id of ids) await admin.sendCommand(['CLIENT', 'KILL', 'ID', id])
      await writing.feed.append(numbers(10, turn * 20 + 10))
    }
    await follower.hears('99')
    expect(follower.messages).toEqual(numbers(100))
    expect(follower.gaps).toEqual([])
  })

  test('goes on where it was after the server was stopped for so long that it was given up', async () => {
    const server = await startRedisServer()
    cleanups.push(() => server.stop())
    const proxy = await startTcpProxy(server.port)
    cleanups.push(() => proxy.close())
    const options = { replyTimeout: 300, feedKey: 'my:feed' }
    const following = await opened(`redis://127.0.0.1:${proxy.port}`, options)
    const writing = await opened(server.url, { feedKey: 'my:feed' })
    const follower = await followed(following)
    await writing.feed.append(['before'])
    await follower.hears('before')
    const { accepted } = proxy
    server.kill('SIGSTOP')
    const late = Promise.resolve(writing.feed.append(['late'])).catch(() => undefined)
    await until('the follower tries another connection', async () => proxy.accepted > accepted)
    server.kill('SIGCONT')
    await late
    await writing.feed.append(['after'])
    await follower.hears('after')
    expect(follower.messages).toEqual(['before', 'late', 'after'])
    expect(follower.gaps).toEqual([])
  })

  test('tells a gap after a flush, also where nothing follows it, and goes on', async () => {
    const server = await startRedisServer()
    cleanups.push(() => server.stop())
    const [following, admin] = [await opened(server.url), await adminOf(server.url)]
    const follower = await followed(following)
    await following.feed.append(['before'])
    await follower.hears('before')
    await admin.flushAll()
    await follower.isTold()
    await following.feed.append(['after'])
    await follower.hears('after')
    expect(follower.gaps).toEqual([expect.stringContaining('vanished')])
  })

  test('leaves nothing behind when it stops, and nothing is called afterwards', async () => {
    const server = await startRedisServer()
    cleanups.push(() => server.stop())
    const [storage, admin] = [await opened(server.url), await adminOf(server.url)]
    const count = async () => (await list(admin)).trim().split('\n').length
    await storage.feed.append(['before'])
    const before = await count()
    const [first, second] = [await followed(storage), await followed(storage)]
    expect(await count()).toBe(before + 2)
    await storage.feed.append(['1'])
    await first.hears('1')
    first.stop()
    const appended = storage.feed.append(['2'])
    await second.hears('2')
    await appended
    expect(first.messages).toEqual(['1'])
    await storage.close()
    await until('their connections are closed', async () => (await count()) <= before)
    await admin.flushAll()
    expect(second.gaps).toEqual([])
    await expect(storage.feed.append(['3'])).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
  })
})

describe('a follower of RedisStorage', () => {
  test('that a silent route cut off notices, is mended, and hears what it missed', async () => {
    const proxy = await startTcpProxy(shared.port)
    cleanups.push(() => proxy.close())
    const url = `redis://127.0.0.1:${proxy.port}`
    const follower = await followed(storageOf({ url, replyTimeout: 300, connectTimeout: 1_000 }))
    const writing = storageOf({ url: shared.url })
    const admin = await adminOf(shared.url)
    await writing.feed.append(['1'])
    await follower.hears('1')
    const [old] = blocked(await list(admin))
    const { accepted } = proxy
    proxy.setSilent(true)
    await writing.feed.append(['2'])
    await until('the follower tries another connection', async () => proxy.accepted > accepted)
    await writing.feed.append(['3'])
    expect(follower.messages).toEqual(['1'])
    proxy.setSilent(false)
    await follower.hears('3')
    expect(follower.messages).toEqual(['1', '2', '3'])
    expect(follower.gaps).toEqual([])
    expect(blocked(await list(admin))).not.toContain(old)
  })

  test('is told of a gap where the log was trimmed past it meanwhile, and hears what comes next', async () => {
    const proxy = await startTcpProxy(shared.port)
    cleanups.push(() => proxy.close())
    const url = `redis://127.0.0.1:${proxy.port}`
    const options = { feedKey: 'short', feedLength: 10 }
    const follower = await followed(storageOf({ url, replyTimeout: 300, connectTimeout: 1_000, ...options }))
    const writing = storageOf({ url: shared.url, ...options })
    await writing.feed.append(['1'])
    await follower.hears('1')
    proxy.setSilent(true)
    for (const message of numbers(300)) await writing.feed.append([message])
    proxy.setSilent(false)
    await follower.isTold()
    await writing.feed.append(['end'])
    await follower.hears('end')
    expect(follower.gaps).toEqual([expect.stringContaining('trimmed')])
  })

  test.each([['DEL'], ['XTRIM', 'MAXLEN', '0'], ['SET', 'a string']])(
    'is told of a gap where its log was ended by %s and begun again at once',
    async (command, ...rest) => {
      const server = await startRedisServer()
      cleanups.push(() => server.stop())
      const storage = storageOf({ url: server.url })
      const admin = await adminOf(server.url)
      const follower = await followed(storage)
      await storage.feed.append(['1'])
      await follower.hears('1')
      await atOnce(
        admin,
        [command!, 'sq:feed', ...rest],
        ...(command === 'SET' ? [['DEL', 'sq:feed']] : []),
        ['XADD', 'sq:feed', '*', 'n', 'other', 'm', '2'],
      )
      await follower.isTold()
      await storage.feed.append(['3'])
      await follower.hears('3')
      expect(follower.gaps).toHaveLength(1)
    },
  )

  test('is told of a gap where another log has an entry of the same id as its own', async () => {
    const server = await startRedisServer()
    cleanups.push(() => server.stop())
    const storage = storageOf({ url: server.url })
    const admin = await adminOf(server.url)
    const follower = await followed(storage)
    const [entry] = (await admin.sendCommand(['XREVRANGE', 'sq:feed', '+', '-'])) as unknown as [string][]
    await atOnce(admin, ['DEL', 'sq:feed'], ['XADD', 'sq:feed', entry![0], 'n', 'other'])
    await follower.isTold()
  })

  test('is told of a gap after a restart with nothing, and hears what comes next', async () => {
    const server = await startRedisServer()
    const storage = storageOf({ url: server.url })
    const follower = await followed(storage)
    await storage.feed.append(['1'])
    await follower.hears('1')
    server.kill('SIGKILL')
    await server.exited
    const next = await startRedisServer({ port: server.port })
    cleanups.push(() => next.stop())
    await follower.isTold()
    await untilAppended(storage, '2')
    await follower.hears('2')
    expect(follower.messages).toEqual(['1', '2'])
  })

  test('is told of a gap after a restart from a file that lacks what it was not given either', async () => {
    const server = await startRedisServer()
    cleanups.push(() => server.stop())
    const proxy = await startTcpProxy(server.port)
    cleanups.push(() => proxy.close())
    const url = `redis://127.0.0.1:${proxy.port}`
    const follower = await followed(storageOf({ url, replyTimeout: 300, connectTimeout: 1_000 }))
    const writing = storageOf({ url: server.url })
    await writing.feed.append(['1'])
    await follower.hears('1')
    const admin = await adminOf(server.url)
    await admin.sendCommand(['SAVE'])
    proxy.setSilent(true)
    await writing.feed.append(['lost'])
    server.kill('SIGKILL')
    await server.exited
    const next = await startRedisServer({ port: server.port, dir: server.dir })
    cleanups.push(() => next.stop())
    proxy.setSilent(false)
    await follower.isTold()
    expect(follower.gaps).toEqual([expect.stringContaining('restarted')])
    expect(follower.messages).toEqual(['1'])
  })

  test('does not follow a server that has become a replica, and goes on once it is a master again', async () => {
    const [server, other] = [await startRedisServer(), await startRedisServer()]
    cleanups.push(
      () => server.stop(),
      () => other.stop(),
    )
    const storage = storageOf({ url: server.url })
    const follower = await followed(storage)
    const admin = await adminOf(server.url)
    await admin.sendCommand(['REPLICAOF', '127.0.0.1', String(other.port)])
    await expect(followed(storage)).rejects.toThrow(/replica/)
    await admin.sendCommand(['REPLICAOF', 'NO', 'ONE'])
    await follower.isTold()
    await storage.feed.append(['1'])
    await follower.hears('1')
  })

  test('cannot begin while the server is away, hangs, or holds something else under the key', async () => {
    const absent = storageOf({ url: `redis://127.0.0.1:${await freePort()}` })
    await expect(followed(absent)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
    const storage = storageOf({ url: shared.url, feedKey: 'taken' })
    await storage.set('taken', 'v')
    await expect(followed(storage)).rejects.toMatchObject({ code: 'STORAGE_FAILED' })
    await expect(storage.feed.append(['1'])).rejects.toMatchObject({ code: 'STORAGE_FAILED' })
    const hanging = await startRedisServer()
    cleanups.push(() => hanging.stop())
    hanging.kill('SIGSTOP')
    const late = storageOf({ url: hanging.url, replyTimeout: 300, connectTimeout: 300 })
    await expect(followed(late)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
  })

  test('of a user who may not ask the server who it is takes each new connection for a gap', async () => {
    const server = await startRedisServer({
      args: [
        '--user',
        'default',
        'on',
        'nopass',
        '~*',
        '+@all',
        '--user',
        'low',
        'on',
        '>p',
        '~*',
        '+@all',
        '-info',
      ],
    })
    cleanups.push(() => server.stop())
    const storage = storageOf({ url: server.url.replace('//', '//low:p@') })
    const admin = await adminOf(server.url)
    const follower = await followed(storage)
    await storage.feed.append(['1'])
    await follower.hears('1')
    expect(follower.gaps).toEqual([])
    await admin.sendCommand(['CLIENT', 'KILL', 'USER', 'low'])
    await follower.isTold()
  })

  test('asks an idle server one thing for each read, no more', async () => {
    const server = await startRedisServer()
    cleanups.push(() => server.stop())
    const admin = await adminOf(server.url)
    const follower = await followed(storageOf({ url: server.url }))
    const calls = async (name: string) =>
      Number(
        new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(
          String(await admin.sendCommand(['INFO', 'commandstats'])),
        )?.[1] ?? 0,
      )
    await until('it has read three times', async () => (await calls('xread')) >= 3)
    expect(await calls('xrange')).toBeLessThanOrEqual((await calls('xread')) + 1)
    follower.stop()
  })
})
