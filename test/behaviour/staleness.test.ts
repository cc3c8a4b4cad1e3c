import { expect, test } from 'vitest'
import { MemoryStorage } from '../../src/storages/memory/index.ts'
import { counting, createClient, fulfilled, Origin, watched } from './setting.ts'

test('fresh data is served from L1 alone: no origin call, no timer, no use of L2', async () => {
  const storage = new MemoryStorage()
  let reads = 0
  const counted = {
    get: (key: string) => {
      reads++
      return storage.get(key)
    },
    set: (key: string, value: string, ttl?: number) => storage.set(key, value, ttl),
    delete: (key: string) => storage.delete(key),
  }
  const { client, clock } = createClient({ storage: counted, staleTime: 1_000 })
  const options = { queryKey: ['a'], queryFn: counting() }
  const first = watched(client.fetchQuery(options))
  await clock.advance(1)
  expect(first.now).toEqual(fulfilled(1))
  await client.flush()
  const readsBefore = reads
  const timersBefore = clock.pendingTimers
  for (let i = 0; i < 100; i++) expect(await client.fetchQuery(options)).toBe(1)
  expect([reads, clock.pendingTimers, options.queryFn.calls]).toEqual([readsBefore, timersBefore, 1])
  expect(client.stats()).toMatchObject({ memoryHits: 100, memoryMisses: 1, originCalls: 1 })
})

test('data is fresh for exactly staleTime', async () => {
  const { client, clock } = createClient({ staleTime: 1_000 })
  const options = { queryKey: ['a'], queryFn: counting() }
  await client.fetchQuery(options)
  await clock.advance(999)
  await client.fetchQuery(options)
  await clock.settle()
  expect(options.queryFn.calls).toBe(1)
  expect(client.getQueryState(['a'])).toMatchObject({ isStale: false })
  await clock.advance(1)
  expect(client.getQueryState(['a'])).toMatchObject({ isStale: true })
  await client.fetchQuery(options)
  await clock.settle()
  expect(options.queryFn.calls).toBe(2)
})

test('stale data is served at once and refreshed behind by one fetch, begun after the call has returned', async () => {
  const { client, clock } = createClient()
  const origin = new Origin()
  const options = { queryKey: ['a'], queryFn: origin.queryFn }
  const first = client.fetchQuery(options)
  origin.last.answer('one')
  await first
  const calls = [client.fetchQuery(options), client.fetchQuery(options), client.fetchQuery(options)]
  expect(origin.calls).toHaveLength(1)
  expect(await Promise.all(calls)).toEqual(['one', 'one', 'one'])
  await clock.settle()
  expect(origin.calls).toHaveLength(2)
  origin.last.answer('two')
  await clock.settle()
  expect(client.getQueryData(['a'])).toBe('two')
  expect(client.stats().staleServes).toBe(3)
})

test('whenStale "wait" gives the refreshed data', async () => {
  const { client, clock } = createClient()
  const origin = new Origin()
  const options = { queryKey: ['a'], queryFn: origin.queryFn, whenStale: 'wait' as const }
  client.setQueryData(['a'], 'old')
  const call = watched(client.fetchQuery(options))
  await clock.settle()
  expect(call.now.is).toBe('pending')
  origin.last.answer('new')
  await clock.settle()
  expect(call.now).toEqual(fulfilled('new'))
})

test('whenStale "wait" serves fresh data without a fetch', async () => {
  const { client } = createClient({ staleTime: 1_000 })
  client.setQueryData(['a'], 'fresh')
  const queryFn = () => 'never'
  expect(await client.fetchQuery({ queryKey: ['a'], queryFn, whenStale: 'wait' })).toBe('fresh')
})

test('whenStale "wait" rejects when the refresh fails; the stale data stays', async () => {
  const { client } = createClient({ retry: false })
  client.setQueryData(['a'], 'old')
  const failing = { queryKey: ['a'], queryFn: () => Promise.reject(new Error('down')) }
  await expect(client.fetchQuery({ ...failing, whenStale: 'wait' })).rejects.toThrow('down')
  expect(client.getQueryData(['a'])).toBe('old')
})

test('whenStale "wait" waits for the refresh behind stale data of L2, too', async () => {
  const storage = new MemoryStorage()
  const writer = createClient({ storage })
  writer.client.setQueryData(['a'], 'stored')
  await writer.client.flush()
  const { client, clock } = createClient({ storage: storage.connect() })
  await clock.advance(100)
  const origin = new Origin()
  const serving = watched(client.fetchQuery({ queryKey: ['a'], queryFn: origin.queryFn }))
  const waiting = watched(client.fetchQuery({ queryKey: ['a'], queryFn: origin.queryFn, whenStale: 'wait' }))
  await clock.settle()
  expect([serving.now, waiting.now.is]).toEqual([fulfilled('stored'), 'pending'])
  origin.last.answer('origin')
  await clock.settle()
  expect(waiting.now).toEqual(fulfilled('origin'))
  expect(origin.calls).toHaveLength(1)
})

test('a failed background refresh keeps data, sets fetchFailureReason, goes to onError and the logger, never to an unhandled rejection', async () => {
  const { client, clock, log } = createClient({ retry: 1, retryDelay: 10 })
  const error = new Error('origin is down')
  const heard: Error[] = []
  client.setQueryData(['a'], 'kept')
  const before = client.getQueryState(['a'])
  const data = await client.fetchQuery({
    queryKey: ['a'],
    queryFn: () => Promise.reject(error),
    onError: (thrown) => heard.push(thrown),
  })
  expect(data).toBe('kept')
  await clock.advance(10)
  expect(client.getQueryState(['a'])).toMatchObject({
    data: 'kept',
    dataUpdatedAt: before?.dataUpdatedAt,
    status: 'error',
    error,
    fetchFailureReason: error,
    fetchFailureCount: 2,
    fetchStatus: 'idle',
  })
  expect(heard).toEqual([error])
  expect(log.lines).toEqual([{ level: 'warn', message: expect.stringContaining('["a"]'), details: [error] }])
})

test('data that arrives after a failed refresh clears the error', async () => {
  const { client, clock } = createClient({ retry: false })
  client.setQueryData(['a'], 'kept')
  await client.fetchQuery({ queryKey: ['a'], queryFn: () => Promise.reject(new Error('down')) })
  await clock.settle()
  expect(client.getQueryState(['a'])?.isError).toBe(true)
  client.setQueryData(['a'], 'new')
  expect(client.getQueryState(['a'])).toMatchObject({
    status: 'success',
    error: null,
    errorUpdatedAt: 0,
    fetchFailureReason: null,
    fetchFailureCount: 0,
  })
})

test('staleTime 0 is never fresh, also when the clock has stepped back', async () => {
  const { clock } = createClient()
  const skewed = clock.skewed(0)
  const { client } = createClient({ clock: skewed })
  const options = { queryKey: ['a'], queryFn: counting() }
  await client.fetchQuery(options)
  skewed.skew = -3_600_000
  expect(client.getQueryState(['a'])?.isStale).toBe(true)
  await client.fetchQuery(options)
  await clock.settle()
  expect(options.queryFn.calls).toBe(2)
})

test("a key's dataUpdatedAt never goes back when the clock does, except by the user's own hand", async () => {
  const { clock } = createClient()
  const skewed = clock.skewed(0)
  const { client } = createClient({ clock: skewed, staleTime: 1_000 })
  const options = { queryKey: ['a'], queryFn: counting(), whenStale: 'wait' as const }
  await client.fetchQuery(options)
  const first = skewed.now()
  skewed.skew = -60_000
  await client.invalidateQueries(['a'])
  await client.fetchQuery(options)
  expect(client.getQueryState(['a'])).toMatchObject({ data: 2, dataUpdatedAt: first })
  client.setQueryData(['a'], 3)
  expect(client.getQueryState(['a'])).toMatchObject({ data: 3, dataUpdatedAt: first - 60_000 })
})

test('each call is judged by its own staleTime', async () => {
  const { client, clock } = createClient()
  const queryFn = counting()
  await client.fetchQuery({ queryKey: ['a'], queryFn })
  await clock.advance(100)
  await client.fetchQuery({ queryKey: ['a'], queryFn, staleTime: 101 })
  await clock.settle()
  expect(queryFn.calls).toBe(1)
  await client.fetchQuery({ queryKey: ['a'], queryFn, staleTime: 100 })
  await clock.settle()
  expect(queryFn.calls).toBe(2)
})
