import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { builtPackage } from '../docs/built-package.ts'

const root = builtPackage()

/** Runs a module against the built package until it exits by itself; it is killed when the test ends. */
function run(source: string): Promise<{ code: number | null; output: string }> {
  const imports = ['index', 'storages/sqlite/index', 'storages/memory/index']
    .map((name, i) => `import * as m${i} from ${JSON.stringify(`${root}dist/${name}.js`)}`)
    .join('\n')
  const names = 'const { QueryClient } = m0; const { SQLiteStorage } = m1; const { MemoryStorage } = m2'
  const child = spawn(
    process.execPath,
    ['--unhandled-rejections=strict', '--input-type=module', '--eval', `${imports}\n${names}\n${source}`],
    { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  child.stderr.on('data', (chunk) => {
    output += chunk
  })
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, output })))
}

test('an application with cached queries and no observer exits by itself', async () => {
  const { code, output } = await run(`
    const client = new QueryClient({ staleTime: 3_600_000 })
    for (let i = 0; i < 10; i++) await client.fetchQuery({ queryKey: ['n', i], queryFn: () => i, fetchTimeout: 3_600_000 })
    await client.fetchQuery({ queryKey: ['never'], queryFn: () => 1, gcTime: Infinity })
    client.setQueryData(['set'], 1)
    console.log(client.cache.size)
  `)
  expect({ code, output }).toEqual({ code: 0, output: '12\n' })
})

test('an application whose observer polls, or whose background refresh waits for a retry, exits by itself', async () => {
  const { code, output } = await run(`
    const client = new QueryClient({ logger: { warn() {}, error() {} } })
    const failing = { queryKey: ['retry'], queryFn: () => Promise.reject(new Error('down')), retry: true }
    client.watch({ queryKey: ['poll'], queryFn: () => 1, refetchInterval: 1_000, staleTime: 500 }).subscribe(() => {})
    client.setQueryData(['retry'], 'stale')
    await client.fetchQuery(failing)
    setImmediate(() => console.log('done'))
  `)
  expect({ code, output }).toEqual({ code: 0, output: 'done\n' })
})

test('a process does not end before what it awaits: a retry, a time-out, a change that is repeated, a hung L2', async () => {
  const { code, output } = await run(`
    const hung = { get: () => new Promise(() => {}), set: () => new Promise(() => {}), delete: () => new Promise(() => {}) }
    const logger = { warn() {}, error() {} }
    const failOnce = () => {
      let calls = 0
      return () => (calls++ === 0 ? Promise.reject(new Error('once')) : 'data')
    }
    const client = new QueryClient({ retryDelay: 20, logger })
    console.log(await client.fetchQuery({ queryKey: ['retry'], queryFn: failOnce() }))
    const never = { queryKey: ['never'], queryFn: () => new Promise(() => {}), fetchTimeout: 20 }
    console.log(await client.fetchQuery(never).catch((error) => error.code))
    console.log(await client.mutation({ mutationFn: failOnce(), retry: 1 }).mutate())
    const away = new QueryClient({ storage: hung, storageTimeout: 20, logger })
    console.log(await away.fetchQuery({ queryKey: ['l2'], queryFn: () => 'from origin' }))
    console.log(await away.flush({ timeout: 20 }))
    await away.invalidateQueries(['l2'])
    await away.close({ timeout: 20 })
    console.log('closed')
  `)
  expect({ code, output: output.split('\n') }).toEqual({
    code: 0,
    output: [
      'data',
      'FETCH_TIMEOUT',
      'data',
      'from origin',
      expect.stringContaining('pending: '),
      'closed',
      '',
    ],
  })
})

test('an application with L2 exits by itself, flushed and not closed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'stackquery-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'cache.db')
  const { code, output } = await run(`
    for (const storage of [new MemoryStorage(), new SQLiteStorage(${JSON.stringify(path)})]) {
      const client = new QueryClient({ storage, staleTime: 60_000, storageTimeout: 15_000 })
      await client.fetchQuery({ queryKey: ['a'], queryFn: () => 'data' })
      await client.flush()
      client.clear()
      console.log(await client.fetchQuery({ queryKey: ['a'], queryFn: () => 'again' }))
    }
  `)
  expect({ code, output }).toEqual({ code: 0, output: 'data\ndata\n' })
})

test('a failed background refresh does not end a process that dies of unhandled rejections', async () => {
  const { code, output } = await run(`
    const client = new QueryClient({ retry: false, logger: { warn: (message) => console.log(message), error() {} } })
    client.setQueryData(['a'], 'kept')
    const queryFn = () => Promise.reject(new Error('down'))
    console.log(await client.fetchQuery({ queryKey: ['a'], queryFn }))
    client.watch({ queryKey: ['b'], queryFn }).subscribe(() => {})
    await client.invalidateQueries()
    await client.refetchQueries()
    await new Promise((resolve) => setTimeout(resolve, 1))
    await client.close()
  `)
  expect([code, output.split('\n')[0]]).toEqual([0, 'kept'])
  expect(output).toContain('Background fetch of ["a"] failed.')
})
