import { expect, test } from 'vitest'
import { MemoryStorage } from '../../src/storages/memory/index.ts'
import { counting, createClient, fulfilled, Origin, watched } from './setting.ts'

test.each([[0], [''], [false], [null], [Number.NaN], [0n]])('falsy data is data: %s', async (data) => {
  const { client } = createClient({ staleTime: 1_000 })
  let calls = 0
  const options = {
    queryKey: ['falsy'],
    queryFn: () => {
      calls++
      return data
    },
  }
  expect(await client.fetchQuery(options)).toBe(data)
  expect(await client.fetchQuery(options)).toBe(data)
  expect(calls).toBe(1)
  expect(client.getQueryData(['falsy'])).toBe(data)
  expect(await client.getQueryDataAsync(['falsy'])).toBe(data)
  expect(client.getQueryState(['falsy'])).toMatchObject({ status: 'success', hasData: true, data })
})

test('falsy data is data in L2, too', async () => {
  const storage = new MemoryStorage()
  const one = createClient({ storage, staleTime: 1_000 })
  await one.client.fetchQuery({ queryKey: ['falsy'], queryFn: () => null })
  await one.client.flush()
  const two = createClient({ storage: storage.connect(), staleTime: 1_000 })
  const queryFn = counting()
  expect(await two.client.fetchQuery<number | null>({ queryKey: ['falsy'], queryFn })).toBe(null)
  expect(queryFn.calls).toBe(0)
})

test('a queryFn that throws synchronously rejects', async () => {
  const { client } = createClient({ retry: false })
  const error = new Error('at once')
  const promise = client.fetchQuery({
    queryKey: ['thrower'],
    queryFn: () => {
      throw error
    },
  })
  await expect(promise).rejects.toBe(error)
  expect(client.getQueryState(['thrower'])).toMatchObject({ status: 'error', error, isFetching: false })
})

test('a queryFn that resolves to undefined rejects with UNDEFINED_DATA and is not called again', async () => {
  const { client } = createClient({ retry: 3 })
  let calls = 0
  const queryFn = async () => {
    calls++
    return undefined
  }
  const promise = client.fetchQuery({ queryKey: ['user', 7], queryFn })
  await expect(promise).rejects.toMatchObject({
    code: 'UNDEFINED_DATA',
    message: expect.stringContaining('["user",7]'),
  })
  expect(calls).toBe(1)
})

test('a missing queryFn rejects with MISSING_QUERY_FN, names the key, and is not retried', async () => {
  const { client, clock } = createClient({ retry: 3 })
  await expect(client.fetchQuery({ queryKey: ['user', 7] })).rejects.toMatchObject({
    code: 'MISSING_QUERY_FN',
    message: expect.stringContaining('["user",7]'),
  })
  expect(clock.pendingTimers).toBeLessThanOrEqual(1)
})

test('a call without a queryFn fetches with the one that is known', async () => {
  const { client, clock } = createClient()
  const queryFn = counting()
  await client.fetchQuery({ queryKey: ['known'], queryFn })
  expect(await client.fetchQuery({ queryKey: ['known'] })).toBe(1)
  await clock.settle()
  expect(client.getQueryState(['known'])).toMatchObject({ data: 2, status: 'success', error: null })
})

test.each([
  ['text', 'text'],
  ['null', null],
  ['undefined', undefined],
  ['an object without prototype', Object.create(null)],
  ['a symbol', Symbol('s')],
  [
    'an object whose toString throws',
    {
      toString() {
        throw new Error('no text')
      },
    },
  ],
])('an error that is no Error is wrapped, its cause kept: %s', async (_, thrown) => {
  const { client } = createClient({ retry: false })
  const promise = client.fetchQuery({ queryKey: ['odd'], queryFn: () => Promise.reject(thrown) })
  const error = await promise.then(() => null).catch((reason: Error) => reason)
  expect(error).toBeInstanceOf(Error)
  expect(error).toMatchObject({ code: 'NON_ERROR_THROWN' })
  expect(error?.cause).toBe(thrown)
})

test('an Error of another realm is passed on as it is', async () => {
  const { client } = createClient({ retry: false })
  const { runInNewContext } = await import('node:vm')
  const foreign: unknown = runInNewContext('new TypeError("elsewhere")')
  await expect(
    client.fetchQuery({ queryKey: ['realm'], queryFn: () => Promise.reject(foreign) }),
  ).rejects.toBe(foreign)
})

test('fetchQuery never throws synchronously', async () => {
  const { client } = createClient()
  const bad = [
    undefined,
    null,
    {},
    { queryKey: 'text' },
    { queryKey: [() => {}] },
    { queryKey: ['a'], staleTime: -1 },
    { queryKey: ['a'], queryFn: 5 },
    { queryKey: ['a'], queryFn: () => 1, signal: {} },
  ]
  for (const options of bad) {
    const promise = client.fetchQuery(options as never)
    expect(promise).toBeInstanceOf(Promise)
    await expect(promise).rejects.toBeInstanceOf(Error)
  }
})

test('prefetchQuery logs and never rejects', async () => {
  const { client, log } = createClient({ retry: false })
  const failing = { queryKey: ['bad'], queryFn: () => Promise.reject(new Error('origin is down')) }
  await expect(client.prefetchQuery(failing)).resolves.toBe(undefined)
  await expect(client.prefetchQuery({ queryKey: [Number.NaN] })).resolves.toBe(undefined)
  await expect(client.prefetchQuery(undefined as never)).resolves.toBe(undefined)
  expect(log.lines.map(({ level }) => level)).toEqual(['warn', 'warn', 'warn'])
  expect(log.lines[0]?.details[0]).toMatchObject({ message: 'origin is down' })
})

test('prefetchQuery fills the cache', async () => {
  const { client } = createClient({ staleTime: 1_000 })
  await client.prefetchQuery({ queryKey: ['a'], queryFn: () => 'data' })
  expect(client.getQueryData(['a'])).toBe('data')
})

test('the context names key, client, meta and what was cached before', async () => {
  const { client, clock } = createClient()
  const origin = new Origin()
  const meta = { from: 'test' }
  const options = { queryKey: ['c', { page: 1 }], queryFn: origin.queryFn, meta }
  const first = client.fetchQuery(options)
  expect(origin.last.context).toMatchObject({ queryKey: ['c', { page: 1 }], client, meta })
  expect(origin.last.context.previous).toBe(undefined)
  origin.last.answer('one')
  await first
  const dataUpdatedAt = clock.now()
  await clock.advance(10)
  await client.fetchQuery(options)
  await clock.settle()
  expect(origin.last.context.previous).toEqual({ data: 'one', dataUpdatedAt })
})

test('data that the user sets while the fetch runs is what previous shows to the next attempt', async () => {
  const { client, clock } = createClient({ retryDelay: 10 })
  const seen: unknown[] = []
  const promise = watched(
    client.fetchQuery<string>({
      queryKey: ['p'],
      queryFn: ({ previous }) => {
        seen.push(previous?.data)
        if (seen.length === 1) throw new Error('first')
        return 'origin'
      },
    }),
  )
  await clock.settle()
  client.setQueryData(['p'], 'manual')
  await clock.advance(10)
  expect(promise.now).toEqual(fulfilled('origin'))
  expect(seen).toEqual([undefined, 'manual'])
})

test('onSuccess and onSettled hear of each fetch that brought data, once, whoever joined', async () => {
  const { client } = createClient()
  const heard: unknown[] = []
  const origin = new Origin()
  const options = {
    queryKey: ['cb'],
    queryFn: origin.queryFn,
    onSuccess: (data: string) => heard.push(['success', data]),
    onSettled: (data: string | undefined, error: Error | null) => heard.push(['settled', data, error]),
  }
  const both = Promise.all([client.fetchQuery(options), client.fetchQuery(options)])
  origin.last.answer('data')
  expect(await both).toEqual(['data', 'data'])
  expect(heard).toEqual([
    ['success', 'data'],
    ['settled', 'data', null],
  ])
})

test('the whole state says where the data came from and that nothing is under way', async () => {
  const { client, clock } = createClient({ staleTime: 100 })
  await client.fetchQuery({ queryKey: ['s'], queryFn: () => 'data' })
  expect(client.getQueryState(['s'])).toEqual({
    status: 'success',
    fetchStatus: 'idle',
    data: 'data',
    error: null,
    dataUpdatedAt: clock.now(),
    errorUpdatedAt: 0,
    fetchFailureCount: 0,
    fetchFailureReason: null,
    isInvalidated: false,
    source: 'origin',
    isIdle: false,
    isPending: false,
    isSuccess: true,
    isError: false,
    isFetching: false,
    isLoading: false,
    isPaused: false,
    isStale: false,
    hasData: true,
  })
  expect(client.getQueryState(['unknown'])).toBe(undefined)
})
