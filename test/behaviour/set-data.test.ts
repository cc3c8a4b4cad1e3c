import { expect, test } from 'vitest'
import { MemoryStorage } from '../../src/storages/memory/index.ts'
import { createClient, fulfilled, Origin, watched } from './setting.ts'

test('setQueryData creates what is absent', async () => {
  const { client, clock } = createClient({ staleTime: 1_000 })
  expect(client.setQueryData(['a'], 'data')).toBe('data')
  expect(client.getQueryState(['a'])).toMatchObject({
    data: 'data',
    source: 'manual',
    status: 'success',
    dataUpdatedAt: clock.now(),
    isStale: false,
  })
  expect(await client.fetchQuery({ queryKey: ['a'], queryFn: () => 'never' })).toBe('data')
})

test('setQueryData takes an updater, which gets what L1 holds', () => {
  const { client } = createClient()
  const seen: unknown[] = []
  const increment = (old: number | undefined) => {
    seen.push(old)
    return (old ?? 0) + 1
  }
  expect(client.setQueryData<number>(['n'], increment)).toBe(1)
  expect(client.setQueryData<number>(['n'], increment)).toBe(2)
  expect(seen).toEqual([undefined, 1])
})

test('an updater that returns undefined changes nothing', () => {
  const { client, clock } = createClient()
  expect(client.setQueryData(['absent'], () => undefined)).toBe(undefined)
  expect(client.setQueryData(['absent'], undefined)).toBe(undefined)
  expect(client.cache.has(['absent'])).toBe(false)
  client.setQueryData(['a'], 'data')
  const before = client.getQueryState(['a'])
  void clock.advance(10)
  expect(client.setQueryData(['a'], () => undefined)).toBe('data')
  expect(client.getQueryState(['a'])).toEqual(before)
})

test('an updater that throws throws to its caller and changes nothing', () => {
  const { client } = createClient()
  client.setQueryData(['a'], 'data')
  expect(() =>
    client.setQueryData(['a'], () => {
      throw new Error('mine')
    }),
  ).toThrow('mine')
  expect(client.getQueryData(['a'])).toBe('data')
})

test.each([[0], [''], [false], [null]])('falsy data can be set: %s', (data) => {
  const { client } = createClient()
  expect(client.setQueryData(['a'], data)).toBe(data)
  expect(client.getQueryState(['a'])).toMatchObject({ hasData: true, data })
})

test('an update during a fetch is not rolled back by cancelling that fetch', async () => {
  const { client, clock } = createClient()
  const origin = new Origin()
  client.setQueryData(['a'], 'first')
  await client.fetchQuery({ queryKey: ['a'], queryFn: origin.queryFn })
  await clock.settle()
  client.setQueryData(['a'], 'second')
  await client.cancelQueries(['a'])
  expect(client.getQueryState(['a'])).toMatchObject({ data: 'second', isFetching: false, status: 'success' })
})

test('an update during the first fetch is not rolled back by cancelling it, and answers the error before', async () => {
  const { client, clock } = createClient({ retry: false })
  await client.fetchQuery({ queryKey: ['a'], queryFn: () => Promise.reject(new Error('x')) }).catch(() => {})
  const origin = new Origin()
  const call = watched(client.fetchQuery({ queryKey: ['a'], queryFn: origin.queryFn }))
  client.setQueryData(['a'], 'by hand')
  await client.cancelQueries(['a'])
  await clock.settle()
  expect(call.now).toMatchObject({ reason: { code: 'CANCELLED' } })
  expect(client.getQueryState(['a'])).toMatchObject({ data: 'by hand', error: null, status: 'success' })
})

test('a fetch that runs goes on and replaces what was set', async () => {
  const { client, clock } = createClient()
  const origin = new Origin()
  const call = watched(client.fetchQuery({ queryKey: ['a'], queryFn: origin.queryFn }))
  client.setQueryData(['a'], 'by hand')
  expect(client.getQueryState(['a'])).toMatchObject({ data: 'by hand', isFetching: true, isPending: false })
  origin.last.answer('origin')
  await clock.settle()
  expect(call.now).toEqual(fulfilled('origin'))
  expect(client.getQueryData(['a'])).toBe('origin')
})

test('setQueryData answers an invalidation', async () => {
  const { client } = createClient({ staleTime: 1_000 })
  client.setQueryData(['a'], 'old')
  await client.invalidateQueries(['a'])
  client.setQueryData(['a'], 'new')
  expect(client.getQueryState(['a'])).toMatchObject({ isInvalidated: false, isStale: false })
})

test('a queryFn may set its own key; what it returns is what stays', async () => {
  const { client } = createClient()
  const states: unknown[] = []
  client.watch({ queryKey: ['a'], enabled: false }).subscribe(({ data }) => states.push(data))
  const queryFn = async () => {
    client.setQueryData(['a'], 'partial')
    await null
    client.setQueryData(['a'], 'more')
    return 'all'
  }
  expect(await client.fetchQuery({ queryKey: ['a'], queryFn })).toBe('all')
  expect(states.filter((data, i) => data !== states[i - 1])).toEqual(['partial', 'more', 'all'])
})

test('a listener that sets data as data arrives has the last word, in L2, too', async () => {
  const storage = new MemoryStorage()
  const { client, clock } = createClient({ storage, staleTime: 60_000 })
  client.watch({ queryKey: ['a'], enabled: false }).subscribe(({ data }) => {
    if (data === 'origin' || data === 'manual') client.setQueryData(['a'], `${data}, seen`)
  })
  const stored = async () => {
    await client.flush()
    const other = createClient({ storage: storage.connect() })
    return other.client.getQueryDataAsync(['a'])
  }
  const call = watched(client.fetchQuery({ queryKey: ['a'], queryFn: () => 'origin' }))
  await clock.settle()
  expect(call.now).toEqual(fulfilled('origin'))
  expect(client.getQueryData(['a'])).toBe('origin, seen')
  expect(await stored()).toBe('origin, seen')
  client.setQueryData(['a'], 'manual')
  expect(client.getQueryData(['a'])).toBe('manual, seen')
  expect(await stored()).toBe('manual, seen')
})

test('data that is set reaches L2, unless the query keeps out of it', async () => {
  const storage = new MemoryStorage()
  const { client, clock } = createClient({ storage })
  client.setQueryData(['in'], 'stored')
  await client.fetchQuery({ queryKey: ['out'], queryFn: () => 'x', storage: false })
  client.setQueryData(['out'], 'private')
  await clock.settle()
  await client.flush()
  const other = createClient({ storage: storage.connect() })
  expect(await other.client.getQueryDataAsync(['in'])).toBe('stored')
  expect(await other.client.getQueryDataAsync(['out'])).toBe(undefined)
})
