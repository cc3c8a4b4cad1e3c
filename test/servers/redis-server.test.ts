import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { answersPing, type RedisServer, startRedisServer } from './redis-server.ts'

const LOADER = new URL('../typescript-loader.mjs', import.meta.url).href
const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function startOne(options?: Parameters<typeof startRedisServer>[0]): Promise<RedisServer> {
  const server = await startRedisServer(options)
  cleanups.push(() => server.stop())
  return server
}

const isAlive = (pid: number) => spawnSync('kill', ['-0', String(pid)]).status === 0

test('a started server answers on its own port, and stop leaves neither process nor folder', async () => {
  const server = await startOne()
  expect(server.url).toBe(`redis://127.0.0.1:${server.port}`)
  expect(await answersPing(server.port)).toBe(true)
  expect(existsSync(server.dir)).toBe(true)

  await server.stop()
  await server.stop()
  expect(await answersPing(server.port)).toBe(false)
  expect(isAlive(server.pid)).toBe(false)
  expect(existsSync(server.dir)).toBe(false)
})

test('two servers run side by side', async () => {
  const [first, second] = await Promise.all([startOne(), startOne()])
  expect(first.port).not.toBe(second.port)
  expect(await answersPing(first.port)).toBe(true)
  expect(await answersPing(second.port)).toBe(true)
})

test('a server that is suspended stops all the same', async () => {
  const server = await startOne()
  server.kill('SIGSTOP')
  await server.stop()
  expect(isAlive(server.pid)).toBe(false)
})

test('a killed server can be started again on the same port and folder', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'stackquery-kept-'))
  cleanups.push(() => rm(dir, { recursive: true }))
  const first = await startOne({ dir })
  first.kill('SIGKILL')
  await first.exited
  expect(existsSync(dir)).toBe(true)

  const second = await startOne({ port: first.port, dir })
  expect(second.port).toBe(first.port)
  expect(await answersPing(second.port)).toBe(true)
})

test.each(['SIGHUP', 'SIGINT', 'SIGTERM'] as const)(
  'neither a server nor its folder outlives a process that is ended by %s',
  async (signal) => {
    const module = JSON.stringify(new URL('redis-server.ts', import.meta.url).href)
    const program = `const { startRedisServer } = await import(${module})
      const { port, dir } = await startRedisServer()
      process.send({ port, dir })
      setInterval(() => {}, 1_000)`
    const owner = spawn(process.execPath, ['--import', LOADER, '--input-type=module', '--eval', program], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    cleanups.push(async () => owner.kill('SIGKILL'))
    const [{ port, dir }] = (await once(owner, 'message')) as [Pick<RedisServer, 'port' | 'dir'>]
    expect(existsSync(dir)).toBe(true)
    expect(await answersPing(port)).toBe(true)
    owner.kill(signal)
    await once(owner, 'exit')
    await expect.poll(() => answersPing(port), { timeout: 5_000 }).toBe(false)
    expect(existsSync(dir)).toBe(false)
  },
)

test('a server that wants a password counts as started', async () => {
  const server = await startOne({ args: ['--requirepass', 'secret'] })
  expect(await answersPing(server.port)).toBe(true)
})

test('a configuration file is taken, so that a sentinel can be started', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'stackquery-sentinel-'))
  cleanups.push(() => rm(dir, { recursive: true }))
  const server = await startOne()
  await writeFile(join(dir, 'sentinel.conf'), `sentinel monitor main 127.0.0.1 ${server.port} 1\n`)
  const sentinel = await startOne({ dir, args: [join(dir, 'sentinel.conf'), '--sentinel'] })
  expect(await answersPing(sentinel.port)).toBe(true)
})

test('a wrong argument fails at once with what the server said', async () => {
  await expect(startRedisServer({ port: 1, args: ['--no-such-option', 'x'] })).rejects.toThrow(
    /no-such-option/,
  )
})

test('a port that something else answers on is refused, not taken for ours', async () => {
  const impostor: Server = createServer((socket) => socket.on('data', () => socket.write('+PONG\r\n')))
  await new Promise<void>((resolve) => impostor.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => new Promise((resolve) => impostor.close(resolve)))
  const { port } = impostor.address() as { port: number }
  await expect(startRedisServer({ port })).rejects.toThrow(/ended at its start/)
})
