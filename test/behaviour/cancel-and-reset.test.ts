import { expect, test } from 'vitest'
import { QueryClient } from '../../src/index.ts'
import { MemoryStorage } from '../../src/storages/memory/index.ts'
import { ChaosStorage, VirtualClock } from '../../src/testing/index.ts'
import { counting, createClient, fulfilled, Origin, watched } from './setting.ts'

const cancelled = { is: 'rejected', reason: { name: 'CancelledError', code: 'CANCELLED' } }

test('cancelling reverts to the state before the fetch', async () => {
  const { client, clock } = createClient({ retry: 1, retryDelay: 10 })
  const origin = new Origin()
  client.setQueryData(['data'], 'old')
  await client
    .fetchQuery({ queryKey: ['error'], queryFn: () => Promise.reject(new Error('x')), retry: 0 })
    .catch(() => {})
  await client.fetchQuery({ queryKey: ['data'], queryFn: origin.queryFn })
  const error = watched(client.fetchQuery({ queryKey: ['error'], queryFn: origin.queryFn }))
  const before = { data: 'old', status: 'success', fetchStatus: 'idle', fetchFailureCount: 0 }
  await clock.settle()
  origin.calls[1]?.fail(new Error('down'))
  await clock.settle()
  expect(client.getQueryState(['error'])).toMatchObject({ status: 'pending', fetchFailureCount: 1 })
  await client.cancelQueries()
  expect(client.getQueryState(['data'])).toMatchObject(before)
  expect(client.getQueryState(['error'])).toMatchObject({
    status: 'error',
    fetchStatus: 'idle',
    error: { message: 'x' },
    fetchFailureCount: 1,
    fetchFailureReason: { message: 'x' },
  })
  await clock.settle()
  expect(error.now).toMatchObject(cancelled)
  expect(origin.calls.map(({ abortReason }) => abortReason)).toMatchObject([
    { code: 'CANCELLED' },
    { code: 'CANCELLED' },
  ])
})

test('cancelling the first fetch leaves the query idle, and its late answer is not stored', async () => {
  const { client, clock } = createClient()
  const origin = new Origin()
  const call = watched(client.fetchQuery({ queryKey: ['a'], queryFn: origin.queryFn }))
  await client.cancelQueries(['a'])
  origin.last.answer('late')
  await clock.settle()
  expect(call.now).toMatchObject(cancelled)
  expect(client.getQueryState(['a'])).toMatchObject({ status: 'idle', data: undefined, fetchStatus: 'idle' })
})

test('a cancelled fetch tells neither onError nor onSettled', async () => {
  const { client, clock, log } = createClient()
  const heard: unknown[] = []
  const options = {
    queryKey: ['a'],
    queryFn: new Origin().queryFn,
    onError: () => heard.push('error'),
    onSettled: () => heard.push('settled'),
  }
  void watched(client.fetchQuery(options))
  await client.cancelQueries(['a'])
  await clock.settle()
  expect([heard, log.lines]).toEqual([[], []])
})

test('cancelling ends a fetch in each of its states', async () => {
  const { client, clock } = createClient({ retry: true, retryDelay: 1_000 })
  const origin = new Origin()
  const options = { queryFn: origin.queryFn }
  const running = watched(client.fetchQuery({ queryKey: ['running'], ...options }))
  const between = watched(client.fetchQuery({ queryKey: ['between'], ...options }))
  origin.last.fail(new Error('down'))
  const paused = watched(client.fetchQuery({ queryKey: ['paused'], ...options }))
  client.pauseQueries(['paused'])
  origin.last.fail(new Error('down'))
  const overtaken = watched(client.fetchQuery({ queryKey: ['overtaken'], ...options }))
  await client.invalidateQueries(['overtaken'])
  const waiting = watched(client.fetchQuery({ queryKey: ['overtaken'], ...options }))
  await clock.advance(1_000)
  await client.cancelQueries()
  await clock.settle()
  for (const { now } of [running, between, paused, overtaken, waiting]) expect(now).toMatchObject(cancelled)
  const calls = origin.calls.length
  client.resumeQueries()
  await clock.advance(60_000)
  expect(origin.calls).toHaveLength(calls)
  const anew = watched(client.fetchQuery({ queryKey: ['overtaken'], ...options }))
  await clock.settle()
  origin.last.answer('data')
  await clock.settle()
  expect(anew.now).toEqual(fulfilled('data'))
})

test('cancelling while L2 is asked calls no origin', async () => {
  const { client, clock } = createClient({ storage: new MemoryStorage() })
  const origin = new Origin()
  const call = watched(client.fetchQuery({ queryKey: ['a'], queryFn: origin.queryFn }))
  await client.cancelQueries(['a'])
  await clock.settle()
  expect(call.now).toMatchObject(cancelled)
  expect(origin.calls).toHaveLength(0)
})

test('cancelling what does not fetch changes nothing', async () => {
  const { client } = createClient()
  client.setQueryData(['a'], 'data')
  const before = client.getQueryState(['a'])
  await client.cancelQueries()
  expect(client.getQueryState(['a'])).toEqual(before)
})

test('resetting while pending rejects the waiters with CancelledError', async () => {
  const { client, clock } = createClient()
  const origin = new Origin()
  const calls = [1, 2].map(() => watched(client.fetchQuery({ queryKey: ['a'], queryFn: origin.queryFn })))
  await client.resetQueries(['a'])
  await clock.settle()
  for (const { now } of calls) expect(now).toMatchObject(cancelled)
  expect(origin.last.abortReason).toMatchObject({ code: 'CANCELLED' })
})

test('resetting rejects the waiters of an overtaken fetch, too, and its result does not come back', async () => {
  const { client, clock } = createClient()
  const origin = new Origin()
  const observer = client.watch({ queryKey: ['a'], enabled: false })
  observer.subscribe(() => {})
  const call = watched(client.fetchQuery({ queryKey: ['a'], queryFn: origin.queryFn }))
  await client.invalidateQueries(['a'])
  await client.resetQueries(['a'])
  origin.last.answer('late')
  await clock.settle()
  expect(call.now).toMatchObject(cancelled)
  expect(observer.result.data).toBe(undefined)
})

test('resetting removes data from L1 and L2, brings initial data back and fetches what is observed', async () => {
  const storage = new MemoryStorage()
  const { client, clock } = createClient({ storage, staleTime: 60_000 })
  const queryFn = counting()
  await client.fetchQuery({ queryKey: ['plain'], queryFn: () => 'data' })
  await client.fetchQuery({ queryKey: ['seeded'], queryFn: () => 'never', initialData: 'initial' })
  client.setQueryData(['seeded'], 'changed')
  const observer = client.watch({ queryKey: ['observed'], queryFn })
  observer.subscribe(() => {})
  await clock.settle()
  await client.flush()
  await client.resetQueries()
  await clock.settle()
  await client.flush()
  expect(client.cache.has(['plain'])).toBe(false)
  expect(client.getQueryState(['seeded'])).toMatchObject({ data: 'initial', source: 'initial' })
  expect([observer.result.data, queryFn.calls]).toEqual([2, 2])
  const other = createClient({ storage: storage.connect() })
  expect(await other.client.getQueryDataAsync(['plain'])).toBe(undefined)
  expect(await other.client.getQueryDataAsync(['observed'])).toBe(2)
})

test('resetting forgets error and failures', async () => {
  const { client, clock } = createClient({ retry: false })
  const observer = client.watch({ queryKey: ['a'], enabled: false })
  observer.subscribe(() => {})
  await client.fetchQuery({ queryKey: ['a'], queryFn: () => Promise.reject(new Error('x')) }).catch(() => {})
  expect(observer.result.isError).toBe(true)
  await client.resetQueries(['a'])
  await clock.settle()
  expect(observer.result).toMatchObject({
    status: 'idle',
    error: null,
    fetchFailureCount: 0,
    errorUpdatedAt: 0,
  })
})

test('refetchQueries asks the origin again whatever the age, settles with the fetches and never rejects', async () => {
  const { client, clock } = createClient({ staleTime: 60_000, retry: false })
  const origin = new Origin()
  client.setQueryData(['no function'], 1)
  const first = ['a', 'b'].map((name) =>
    watched(client.fetchQuery({ queryKey: [name], queryFn: origin.queryFn })),
  )
  for (const call of origin.calls) call.answer('old')
  await clock.settle()
  expect(first.map(({ now }) => now)).toEqual([fulfilled('old'), fulfilled('old')])
  const refetch = watched(client.refetchQueries())
  await clock.settle()
  origin.calls[2]?.answer('new')
  await clock.settle()
  expect(refetch.now.is).toBe('pending')
  origin.calls[3]?.fail(new Error('down'))
  await clock.settle()
  expect(refetch.now).toEqual(fulfilled(undefined))
  expect(client.getQueryData(['a'])).toBe('new')
  expect(client.getQueryState(['b'])).toMatchObject({ data: 'old', isError: true })
})

test('refetchQueries asks the origin, too, where a fetch is still asking L2', async () => {
  const clock = new VirtualClock()
  const chaos = new ChaosStorage(new MemoryStorage(), { clock })
  const writer = new QueryClient({ storage: chaos, clock })
  writer.setQueryData(['a'], 'stored')
  await clock.settle()
  chaos.fault({ kind: 'delay', delay: 100 })
  const client = new QueryClient({ storage: chaos, clock, staleTime: 60_000 })
  const queryFn = counting()
  const first = watched(client.fetchQuery({ queryKey: ['a'], queryFn }))
  await clock.advance(50)
  const refetch = watched(client.refetchQueries(['a']))
  await clock.advance(1_000)
  expect(first.now.is).toBe('fulfilled')
  expect(refetch.now).toEqual(fulfilled(undefined))
  expect(queryFn.calls).toBe(1)
  expect(client.getQueryData(['a'])).toBe(1)
})
