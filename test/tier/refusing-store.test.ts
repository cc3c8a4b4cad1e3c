/** Stores that work in part: a file that cannot be opened or written to, an item that is never taken. */
import { chmodSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { QueryClient, type StorageBackend } from '../../src/index.ts'
import { MemoryStorage } from '../../src/storages/memory/index.ts'
import { ChaosStorage, VirtualClock } from '../../src/testing/index.ts'
import { newPath, openStorage, until } from '../storages/sqlite/setting.ts'

/** A client whose log is one text a line. */
function logged(storage: StorageBackend, config = {}) {
  const log: string[] = []
  const note = (message: string, error?: Error) => log.push(`${message} ${error?.message ?? ''}`)
  const logger = { info: note, warn: note, error: note }
  return { log, client: new QueryClient({ storage, logger, staleTime: 60_000, ...config }) }
}

/** A machine under load may take longer to open a file than a fetch would wait: that is another fault. */
const patient = { storageTimeout: 15_000 }

async function goesOnWithMemory({ client, log }: ReturnType<typeof logged>, line: RegExp) {
  const get = (id: number) => client.fetchQuery({ queryKey: ['k', id], queryFn: async () => ({ id }) })
  // Each of them is a read and a write that fails; no more than a few are needed to find out.
  let id = 0
  await until(async () => {
    expect(await get(++id)).toEqual({ id })
    return client.stats().storage?.circuit !== 'closed'
  })
  for (const end = id + 300; id < end; id++) expect(await get(id)).toEqual({ id })
  expect(client.getQueryData(['k', 1])).toEqual({ id: 1 })
  expect(log).toEqual([expect.stringMatching(line)])
  await client.close({ timeout: 0 })
}

describe('SQLiteStorage', () => {
  test('on a path that cannot be opened: one line with the cause, and L1 goes on', async () => {
    const path = newPath()
    mkdirSync(path)
    await goesOnWithMemory(logged(openStorage({ path }), patient), /L2 is away \((get|set)\).*cache\.db/)
  })

  test.each<[string, number, RegExp]>([
    ['and its directory neither', 0o555, /L2 is away \((get|set)\).*cache\.db.*read-only/],
    ['though it can be read', 0o777, /L2 is away \(set\).*cache\.db.*read-only/],
  ])(
    'on a file that cannot be written to, %s: one line with the cause, and L1 goes on',
    async (_how, mode, line) => {
      const path = newPath()
      const writable = openStorage({ path })
      await writable.set('sq:any', '1')
      await writable.close()
      chmodSync(path, 0o444)
      chmodSync(dirname(path), mode)
      const isRoot = process.geteuid?.() === 0
      // Nothing is read-only for root.
      if (isRoot) process.seteuid?.(65_534)
      onTestFinished(() => {
        if (isRoot) process.seteuid?.(0)
        chmodSync(dirname(path), 0o755)
      })
      await goesOnWithMemory(logged(openStorage({ path }), patient), line)
    },
  )
})

describe('an item that the store always refuses', () => {
  const isPoison = (key: string) => key.includes('poison')

  function setUp() {
    const clock = new VirtualClock()
    const memory = new MemoryStorage({ clock })
    const store = new ChaosStorage(memory, { clock })
    const other = new QueryClient({ storage: memory.connect(), clock, logger: { warn() {}, error() {} } })
    return { clock, memory, store, other, ...logged(store, { clock }) }
  }

  test('holds nobody up, is given up after some attempts, and is told of in one line', async () => {
    const { clock, client, store, other, log } = setUp()
    store.fault({ kind: 'reject' }, { operations: ['set', 'setMany'], keys: isPoison })
    client.setQueryData(['poison'], 'never taken')
    for (let id = 0; id < 500; id++) client.setQueryData(['k', id], id)
    await clock.settle()
    await clock.advance(100)
    for (let id = 0; id < 500; id++) expect(await other.getQueryDataAsync(['k', id])).toBe(id)
    expect(client.stats().storage).toMatchObject({ pending: 1, circuit: 'closed', outages: 0 })

    await clock.advance(120_000)
    expect(client.stats().storage).toMatchObject({ pending: 0, dropped: 1, circuit: 'closed', outages: 0 })
    expect(log).toEqual([
      expect.stringMatching(/L2 refused sq:d:\["poison"\] 10 times; it stays in L1 alone/),
    ])
    expect(client.getQueryData(['poison'])).toBe('never taken')
    expect(await other.getQueryDataAsync(['poison'])).toBeUndefined()
  })

  test('leaves nothing older behind that anyone would believe', async () => {
    const { clock, client, store, other } = setUp()
    client.setQueryData(['poison'], 'old')
    await client.flush()
    expect(await other.getQueryDataAsync(['poison'])).toBe('old')
    other.clear()
    store.fault({ kind: 'reject' }, { operations: ['set', 'setMany'], keys: isPoison })
    client.setQueryData(['poison'], 'new')
    await clock.advance(120_000)
    expect(client.stats().storage).toMatchObject({ pending: 0, dropped: 1 })
    expect(await other.getQueryDataAsync(['poison'])).toBeUndefined()
  })

  test('of which the deletion is refused is gone for everyone all the same', async () => {
    const { clock, client, store, other } = setUp()
    client.setQueryData(['poison'], 'old')
    await client.flush()
    store.fault({ kind: 'reject' }, { operations: ['delete', 'deleteMany'] })
    await client.removeQueries(['poison'])
    expect(await other.getQueryDataAsync(['poison'])).toBeUndefined()
    await clock.advance(120_000)
    expect(client.stats().storage).toMatchObject({ pending: 0, circuit: 'closed' })
    expect(await other.getQueryDataAsync(['poison'])).toBeUndefined()
  })

  test('does not keep flush or close waiting longer than they were told to', async () => {
    const { clock, client, store, log } = setUp()
    store.fault({ kind: 'reject' }, { operations: ['set', 'setMany'], keys: isPoison })
    client.setQueryData(['poison'], 1)
    client.setQueryData(['k'], 2)
    const flushed = client.flush({ timeout: 500 })
    await clock.advance(500)
    expect((await flushed).pending).toBeLessThanOrEqual(1)
    const closed = client.close({ timeout: 500 })
    await clock.advance(2_000)
    await closed
    expect(log.at(-1)).toMatch(/Closed with 1 writes|L2 refused/)
  })
})
