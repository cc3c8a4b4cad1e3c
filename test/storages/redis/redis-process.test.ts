/** What only a process of its own shows: that it ends by itself, what a missing package says, TLS by its real files. */
import { execFile, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { RedisStorage } from '../../../src/storages/redis/index.ts'
import { until } from '../../servers/redis-cluster.ts'
import { freePort, type RedisServer, startRedisServer } from '../../servers/redis-server.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const run = promisify(execFile)

let dir: string
let server: RedisServer
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'stackquery-process-'))
  server = await startRedisServer()
  const arguments_ = ['-p', join(root, 'tsconfig.build.json'), '--outDir', join(dir, 'dist')]
  await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), ...arguments_])
})
afterAll(async () => {
  await server?.stop()
  await rm(dir, { recursive: true, force: true })
})

/** Runs `code` in a process of its own, which is killed (and the test fails) if it does not end by itself. */
async function output(code: string): Promise<string> {
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', scriptOf(code)], {
    timeout: 15_000,
  })
  return stdout.trim()
}

function scriptOf(code: string): string {
  const module = JSON.stringify(join(dir, 'dist/storages/redis/index.js'))
  return `import { RedisStorage } from ${module}\n${code}`
}

const tryGet = `await storage.get('a').then(String, (error) => error.code + ' ' + error.message)`

test('a missing driver is named, with what to install', async () => {
  const said = await output(
    `const storage = new RedisStorage(); console.log(${tryGet}); console.log(${tryGet})`,
  )
  expect(said.split('\n')).toEqual([
    expect.stringMatching(/^MISSING_DRIVER .*npm install redis/),
    expect.stringMatching(/^MISSING_DRIVER .*npm install redis/),
  ])
})

describe.each(['redis', 'redis6'])('a process with the package %s', (name) => {
  beforeAll(async () => {
    await rm(join(dir, 'node_modules'), { recursive: true, force: true })
    await run('mkdir', ['-p', join(dir, 'node_modules')])
    await symlink(join(root, 'node_modules', name), join(dir, 'node_modules/redis'))
  })

  test('waits for what it asked, then ends by itself with the storage open', async () => {
    const url = JSON.stringify(server.url)
    const code = `const storage = new RedisStorage(${url})
      await storage.set('a', 'v'); await new Promise((resolve) => setTimeout(resolve, 50))
      console.log(${tryGet}); console.log((await storage.getMany(['a', 'none'])).join())`
    expect(await output(code)).toBe('v\nv,')
  })

  test('ends by itself when the storage was never used', async () => {
    expect(await output(`new RedisStorage(${JSON.stringify(server.url)}); console.log('end')`)).toBe('end')
  })

  test('ends by itself while it follows, what came meanwhile heard, also once the server is gone', async () => {
    const own = await startRedisServer()
    try {
      const code = `const storage = new RedisStorage({ url: ${JSON.stringify(own.url)}, connectTimeout: 200 })
        let heard
        const hearing = new Promise((resolve) => (heard = resolve))
        await storage.feed.follow((messages) => heard(messages.join()), console.log)
        await storage.feed.append(['1', '2']); const hold = setInterval(() => {}, 1000)
        console.log(await hearing); clearInterval(hold)`
      expect(await output(code)).toBe('1,2')
      const after = `process.kill(${own.pid}, 'SIGKILL'); console.log(${tryGet})`
      expect(await output(`${code}\n${after}`)).toMatch(/^1,2\nSTORAGE_UNAVAILABLE/)
    } finally {
      await own.stop()
    }
  })

  test('ends by itself while the server is absent', async () => {
    const url = JSON.stringify(`redis://127.0.0.1:${await freePort()}`)
    const code = `const storage = new RedisStorage(${url}); console.log(${tryGet})`
    expect(await output(code)).toMatch(/^STORAGE_UNAVAILABLE/)
  })

  test('ends by itself while the server hangs, and after it was lost', async () => {
    const own = await startRedisServer()
    try {
      const code = `const storage = new RedisStorage({ url: ${JSON.stringify(own.url)}, replyTimeout: 200, connectTimeout: 200 })
        await storage.set('a', 'v'); process.kill(${own.pid}, 'SIGSTOP')
        console.log(${tryGet}); console.log(${tryGet})`
      expect((await output(code)).split('\n')).toEqual([
        expect.stringMatching(/^STORAGE_TIMEOUT/),
        expect.stringMatching(/^STORAGE_UNAVAILABLE/),
      ])
      const again = `const storage = new RedisStorage({ url: ${JSON.stringify(own.url)}, connectTimeout: 200 }); console.log(${tryGet})`
      expect(await output(again)).toMatch(/^STORAGE_UNAVAILABLE.* no answer within 200 ms/)
    } finally {
      await own.stop()
    }
  })

  test('comes back after losses of every kind', async () => {
    const own = await startRedisServer()
    try {
      const code = `const storage = new RedisStorage({ url: ${JSON.stringify(own.url)}, replyTimeout: 200, connectTimeout: 200 })
        const works = async () => { for (;;) { try { return await storage.set('a', 'v') } catch { await new Promise((resolve) => setTimeout(resolve, 5)) } } }
        await works()
        for (let time = 0; time < 3; time++) {
          process.kill(${own.pid}, 'SIGSTOP')
          console.log((${tryGet}).split(' ')[0]); await new Promise((resolve) => setTimeout(resolve, 500))
          process.kill(${own.pid}, 'SIGCONT')
          await works(); console.log(${tryGet})
        }
        await storage.close()`
      expect(await output(code)).toBe(Array(3).fill('STORAGE_TIMEOUT\nv').join('\n'))
    } finally {
      await own.stop()
    }
  })
})

test.each(['ioredis', 'ioredis6'])(
  'a process ends with the client of %s that it gave, though a follower is left',
  async (name) => {
    await rm(join(dir, 'node_modules'), { recursive: true, force: true })
    await run('mkdir', ['-p', join(dir, 'node_modules')])
    const file = join(root, 'node_modules', name, 'built/index.js')
    const code = `import ioredis from ${JSON.stringify(file)}
      const client = new ioredis.Redis(${JSON.stringify(server.url)})
      const storage = new RedisStorage({ client })
      await new Promise((resolve) => {
        storage.feed.follow(resolve, console.log).then(() => storage.feed.append(['1']))
      })
      console.log('heard'); client.disconnect()`
    expect(await output(code)).toBe('heard')
  },
)

describe('a worker that was stopped for longer than its connection may be silent', () => {
  beforeAll(async () => {
    await rm(join(dir, 'node_modules'), { recursive: true, force: true })
    await run('mkdir', ['-p', join(dir, 'node_modules')])
    await symlink(join(root, 'node_modules/redis'), join(dir, 'node_modules/redis'))
  })

  /** Follows until it hears 'end'; what it printed is all that it was told. */
  async function worker(feedKey: string) {
    const options = JSON.stringify({ url: server.url, replyTimeout: 100, feedKey })
    const child = spawn(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        scriptOf(`const storage = new RedisStorage(${options})
          const hold = setInterval(() => {}, 1000)
          await storage.feed.follow(
            (messages) => {
              for (const message of messages) console.log(message)
              if (messages.includes('end')) clearInterval(hold)
            },
            (reason) => console.log('gap: ' + reason),
          )
          console.log('begun')`),
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    let said = ''
    child.stdout.on('data', (chunk) => (said += chunk))
    const ended = new Promise((resolve) => child.once('close', resolve))
    await until('the worker follows', async () => said.includes('begun\n'))
    return {
      signal: (name: NodeJS.Signals) => child.kill(name),
      said: async () => {
        await ended
        return said.trim().split('\n').slice(1)
      },
    }
  }

  const appended = async (feedKey: string, feedLength: number, count: number) => {
    const storage = new RedisStorage({ url: server.url, feedKey, feedLength })
    for (let from = 0; from < count; from += 10) {
      const batch = Array.from({ length: 10 }, (_, index) => String(from + index))
      await storage.feed.append(batch)
    }
    await storage.close()
  }

  test('reads on where it was, whatever came meanwhile', async () => {
    const stopped = await worker('stopped')
    stopped.signal('SIGSTOP')
    await appended('stopped', 10_000, 10_000)
    // Time is what makes its connection look dead to it.
    await new Promise((resolve) => setTimeout(resolve, 1_600))
    stopped.signal('SIGCONT')
    await appended('stopped', 10_000, 10)
    const storage = new RedisStorage({ url: server.url, feedKey: 'stopped' })
    await storage.feed.append(['end'])
    await storage.close()
    const digits = Array.from({ length: 10 }, (_, index) => String(index))
    const expected = [...Array.from({ length: 10_000 }, (_, index) => String(index)), ...digits, 'end']
    expect((await stopped.said()).join(' ')).toBe(expected.join(' '))
  })

  test('is told of a gap where the log was shorter than what came meanwhile', async () => {
    const stopped = await worker('overrun')
    stopped.signal('SIGSTOP')
    await appended('overrun', 100, 5_000)
    stopped.signal('SIGCONT')
    const storage = new RedisStorage({ url: server.url, feedKey: 'overrun', feedLength: 100 })
    const nudge = setInterval(() => void Promise.resolve(storage.feed.append(['end'])), 200)
    const said = await stopped.said()
    clearInterval(nudge)
    await storage.close()
    expect(said.some((line) => line.startsWith('gap: ') && line.includes('trimmed'))).toBe(true)
  })
})

test('TLS: the certificate is checked, and trusted through `tls.ca`', async () => {
  const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  const request = [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '2',
    '-keyout',
    key,
    '-out',
    cert,
  ]
  await run('openssl', [...request, ...subject])
  const port = await freePort()
  const files = ['--tls-cert-file', cert, '--tls-key-file', key, '--tls-ca-cert-file', cert]
  const secure = await startRedisServer({
    args: ['--tls-port', String(port), ...files, '--tls-auth-clients', 'no'],
  })
  const distrusting = new RedisStorage(`rediss://127.0.0.1:${port}`)
  const trusting = new RedisStorage({
    url: `rediss://127.0.0.1:${port}/2`,
    tls: { ca: await readFile(cert) },
  })
  try {
    await expect(distrusting.get('a')).rejects.toMatchObject({
      code: 'STORAGE_UNAVAILABLE',
      message: expect.stringContaining('self-signed'),
    })
    await trusting.set('a', 'v')
    expect(await trusting.get('a')).toBe('v')
    secure.kill('SIGSTOP')
    const asked = trusting.get('a')
    secure.kill('SIGKILL')
    await expect(asked).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
    const restarted = await startRedisServer({
      args: ['--tls-port', String(port), ...files, '--tls-auth-clients', 'no'],
    })
    await until('it works again', () =>
      trusting.get('a').then(
        () => true,
        () => false,
      ),
    )
    await restarted.stop()
  } finally {
    await Promise.all([distrusting.close(), trusting.close(), secure.stop()])
  }
})
