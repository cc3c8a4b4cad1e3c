/** Reads of a store that answers at once: they are made in the caller's turn, and believed no more than others. */

import { expect, onTestFinished, test, vi } from 'vitest'
import { QueryClient, type StorageBackend } from '../../src/index.ts'

const USER = ['user', 1]

/** One store whose snapshots are as new as can be; `calls` are those of `get`, `seen` those of `snapshot.get`. */
function sharedStore() {
  const held = new Map<string, string>()
  const calls: string[] = []
  const seen: string[] = []
  const state = { changes: 1, isReady: true, fails: false, stopsWrites: false }
  const change = async (act: () => void): Promise<void> => {
    if (state.stopsWrites) return new Promise(() => {})
    state.changes++
    act()
  }
  const worker = (): QueryClient => {
    const storage: StorageBackend = {
      get: async (key) => {
        calls.push(key)
        return held.get(key)
      },
      set: (key, value) => change(() => held.set(key, value)),
      delete: (key) => change(() => held.delete(key)),
      snapshot: {
        hold: () => (state.isReady ? state.changes : undefined),
        get: (key) => {
          if (state.fails) throw new Error('no page')
          seen.push(key)
          return held.get(key)
        },
      },
    }
    const client = new QueryClient({ storage, storageTimeout: 5_000, staleTime: 60_000, retry: false })
    onTestFinished(() => client.close({ timeout: 0 }))
    return client
  }
  const forget = (client: QueryClient): void => {
    client.clear()
    calls.length = 0
    seen.length = 0
  }
  return { held, calls, seen, state, worker, forget }
}

const fetch = (client: QueryClient, queryKey: readonly (string | number)[] = USER): Promise<unknown> =>
  client.fetchQuery({ queryKey, queryFn: () => 'origin' })

/** A worker that knows the tokens of USER, whose data another has written, and that has forgotten the data. */
async function warm() {
  const store = sharedStore()
  const [writer, reader] = [store.worker(), store.worker()]
  writer.setQueryData(USER, 'stored')
  await writer.removeQueries(['other'])
  await writer.flush()
  await fetch(reader)
  store.forget(reader)
  return { ...store, writer, reader }
}

test('what a snapshot has needs no other read, nor a turn of the event loop', async () => {
  const { calls, reader } = await warm()
  const answer = fetch(reader)
  expect(reader.getQueryState(USER)).toMatchObject({ data: 'stored', source: 'storage', isStale: false })
  expect(await answer).toBe('stored')
  expect(calls).toEqual([])
  expect(reader.stats()).toMatchObject({ originCalls: 0, memoryMisses: 2, storage: { hits: 2, misses: 0 } })
})

test('what it has is judged by the moment after initial data that has taken its time', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  onTestFinished(() => void vi.useRealTimers())
  const { reader } = await warm()
  const initialData = (): undefined => void vi.setSystemTime(Date.now() + 60_001)
  const answer = reader.fetchQuery({ queryKey: USER, queryFn: () => 'origin', initialData })
  expect(reader.getQueryState(USER)).toMatchObject({ data: undefined })
  expect(await answer).toBe('stored')
  expect(reader.getQueryState(USER)).toMatchObject({ isStale: true, isFetching: true })
})

test('the token of the namespace is read once in a snapshot, and again in the next', async () => {
  const { state, seen, reader, forget } = await warm()
  await fetch(reader)
  forget(reader)
  await fetch(reader)
  expect(seen).toEqual(['sq:d:["user",1]'])
  state.changes++
  forget(reader)
  await fetch(reader)
  expect(seen).toEqual(['sq:n:all', 'sq:d:["user",1]'])
})

test.each(['removeQueries', 'invalidateQueries'] as const)(
  'a peer that has called %s is heeded at once',
  async (method) => {
    const { reader, writer, forget } = await warm()
    await writer[method](['user'])
    forget(reader)
    const served = await fetch(reader)
    expect(served).toBe(method === 'removeQueries' ? 'origin' : 'stored')
    expect(reader.stats().storage).toMatchObject({ circuit: 'closed', rejected: 0 })
    await expect.poll(() => reader.getQueryData(USER)).toBe('origin')
  },
)

test('what waits to be written answers before the snapshot', async () => {
  const { state, reader, forget } = await warm()
  state.stopsWrites = true
  reader.setQueryData(USER, 'newer')
  forget(reader)
  expect(await fetch(reader)).toBe('newer')
})

test('a store that cannot tell at once, or whose snapshot fails, is read as any other', async () => {
  const { state, calls, reader, forget } = await warm()
  for (const [name, value] of [
    ['isReady', false],
    ['fails', true],
  ] as const) {
    const before = state[name]
    state[name] = value
    forget(reader)
    expect(await fetch(reader)).toBe('stored')
    expect(calls).toContain('sq:d:["user",1]')
    state[name] = before
  }
  expect(reader.stats().storage).toMatchObject({ circuit: 'closed', hits: 3 })
})

test('what is looked at twice is counted once', async () => {
  const { held, reader, writer, forget } = await warm()
  await writer.invalidateQueries(['user'])
  forget(reader)
  expect(await fetch(reader)).toBe('stored')
  expect(reader.stats().storage).toMatchObject({ hits: 2, misses: 0 })
  await expect.poll(() => reader.getQueryData(USER)).toBe('origin')
  await reader.flush()
  held.set('sq:d:["user",1]', '{"v":1,"c":"00000000","t":1}')
  const { hits = 0, misses = 0 } = reader.stats().storage ?? {}
  forget(reader)
  await fetch(reader)
  expect(reader.stats().storage).toMatchObject({ hits, misses: misses + 1, rejected: 1 })
})

test('what needs more than a look is left to a fetch', async () => {
  const { calls, reader, forget } = await warm()
  const validate = {
    '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) },
  } as const
  expect(await reader.fetchQuery({ queryKey: USER, queryFn: () => 'origin', validate })).toBe('stored')
  expect(calls).not.toEqual([])
  forget(reader)
  expect(await reader.fetchQuery({ queryKey: USER, queryFn: () => 'origin', storage: false })).toBe('origin')
  expect(calls).toEqual([])
})
