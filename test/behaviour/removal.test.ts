import { expect, test } from 'vitest'
import { MemoryStorage } from '../../src/storages/memory/index.ts'
import { counting, createClient, fulfilled, Origin, watched } from './setting.ts'

test('a call after removeQueries does not join the old fetch', async () => {
  const { client, clock } = createClient({ staleTime: 60_000 })
  const origin = new Origin()
  const options = { queryKey: ['a'], queryFn: origin.queryFn }
  const before = watched(client.fetchQuery(options))
  await client.removeQueries(['a'])
  const after = watched(client.fetchQuery(options))
  await clock.settle()
  origin.calls[0]?.answer('old')
  await clock.settle()
  expect([before.now, after.now.is]).toEqual([fulfilled('old'), 'pending'])
  expect(client.getQueryData(['a'])).toBe(undefined)
  origin.calls[1]?.answer('new')
  await clock.settle()
  expect(after.now).toEqual(fulfilled('new'))
  expect(client.getQueryData(['a'])).toBe('new')
  expect(origin.mostRunning).toBe(1)
})

test('the result of a removed fetch is stored nowhere', async () => {
  const storage = new MemoryStorage()
  const { client, clock } = createClient({ storage, staleTime: 60_000 })
  const origin = new Origin()
  const call = watched(client.fetchQuery({ queryKey: ['a'], queryFn: origin.queryFn }))
  await clock.settle()
  await client.removeQueries(['a'])
  origin.last.answer('removed')
  await clock.settle()
  await client.flush()
  expect(call.now).toEqual(fulfilled('removed'))
  expect(client.cache.has(['a'])).toBe(false)
  expect(await client.getQueryDataAsync(['a'])).toBe(undefined)
})

test('removal takes data from L1 and L2, keys that only L2 knows included', async () => {
  const storage = new MemoryStorage()
  const writer = createClient({ storage })
  writer.client.setQueryData(['user', 1], 'one')
  writer.client.setQueryData(['user', 2], 'two')
  writer.client.setQueryData(['group', 1], 'kept')
  await writer.client.flush()
  const remover = createClient({ storage: storage.connect() })
  await remover.client.removeQueries(['user'])
  const reader = createClient({ storage: storage.connect() })
  expect(await reader.client.getQueryDataAsync(['user', 1])).toBe(undefined)
  expect(await reader.client.getQueryDataAsync(['user', 2])).toBe(undefined)
  expect(await reader.client.getQueryDataAsync(['group', 1])).toBe('kept')
})

test('removal of an observed query leaves it empty under its observer', async () => {
  const { client, clock } = createClient({ staleTime: 60_000 })
  const queryFn = counting()
  const observer = client.watch({ queryKey: ['a'], queryFn })
  observer.subscribe(() => {})
  await clock.settle()
  expect(observer.result.data).toBe(1)
  await client.removeQueries(['a'])
  await clock.settle()
  expect(observer.result).toMatchObject({ status: 'idle', data: undefined, isFetching: false })
  expect(queryFn.calls).toBe(1)
  client.setQueryData(['a'], 7)
  expect(observer.result.data).toBe(7)
})

test('what was removed does not come back from a fetch that was invalidated before', async () => {
  const { client, clock } = createClient()
  const origin = new Origin()
  const observer = client.watch({ queryKey: ['a'], enabled: false })
  observer.subscribe(() => {})
  const call = watched(client.fetchQuery({ queryKey: ['a'], queryFn: origin.queryFn }))
  await client.invalidateQueries(['a'])
  await client.removeQueries(['a'])
  origin.last.answer('removed')
  await clock.settle()
  expect(call.now).toEqual(fulfilled('removed'))
  expect(observer.result.data).toBe(undefined)
})

test('removal forgets options, error and age', async () => {
  const { client } = createClient({ retry: false })
  await client.fetchQuery({ queryKey: ['a'], queryFn: () => Promise.reject(new Error('x')) }).catch(() => {})
  await client.removeQueries(['a'])
  expect(client.getQueryState(['a'])).toBe(undefined)
  await expect(client.fetchQuery({ queryKey: ['a'] })).rejects.toMatchObject({ code: 'MISSING_QUERY_FN' })
})

test('removing in the middle of a background refresh aborts it', async () => {
  const { client, clock } = createClient()
  const origin = new Origin()
  client.setQueryData(['a'], 'old')
  await client.fetchQuery({ queryKey: ['a'], queryFn: origin.queryFn })
  await clock.settle()
  await client.removeQueries(['a'])
  expect(origin.last.abortReason).toMatchObject({ code: 'CANCELLED' })
  origin.last.answer('late')
  await clock.settle()
  expect(client.cache.has(['a'])).toBe(false)
})

test('a queryFn may remove its own key, also before it has returned', async () => {
  const { client, clock } = createClient({ staleTime: 60_000 })
  const queryFn = () => {
    void client.removeQueries(['a'])
    return 'data'
  }
  const call = watched(client.fetchQuery({ queryKey: ['a'], queryFn }))
  await clock.settle()
  expect(call.now).toEqual(fulfilled('data'))
  expect(client.cache.has(['a'])).toBe(false)
})

test('a listener that removes the query as its fetch begins leaves the caller its result', async () => {
  const { client, clock } = createClient({ staleTime: 60_000 })
  client.watch({ queryKey: ['a'], enabled: false }).subscribe(({ isFetching }) => {
    if (isFetching) void client.removeQueries(['a'])
  })
  const call = watched(client.fetchQuery({ queryKey: ['a'], queryFn: () => 'data' }))
  await clock.settle()
  expect(call.now).toEqual(fulfilled('data'))
  expect(client.getQueryData(['a'])).toBe(undefined)
})

test('a listener that removes the query as its data arrives leaves nothing in L2', async () => {
  const storage = new MemoryStorage()
  const { client, clock } = createClient({ storage, staleTime: 60_000 })
  let isArmed = true
  client.watch({ queryKey: ['a'], enabled: false }).subscribe(({ data }) => {
    if (data !== undefined && isArmed) {
      isArmed = false
      void client.removeQueries(['a'])
    }
  })
  client.setQueryData(['a'], 'removed at once')
  await clock.settle()
  await client.flush()
  const other = createClient({ storage: storage.connect() })
  expect(await other.client.getQueryDataAsync(['a'])).toBe(undefined)
})

test('clear empties L1 alone: L2 has the data still, and running fetches answer their callers', async () => {
  const storage = new MemoryStorage()
  const { client, clock } = createClient({ storage, staleTime: 60_000 })
  const origin = new Origin()
  client.setQueryData(['a'], 'kept')
  await client.flush()
  const call = watched(client.fetchQuery({ queryKey: ['b'], queryFn: origin.queryFn }))
  await clock.settle()
  client.clear()
  expect(client.cache.size).toBe(0)
  origin.last.answer('data')
  await clock.settle()
  expect(call.now).toEqual(fulfilled('data'))
  expect(client.cache.has(['b'])).toBe(false)
  expect(await client.getQueryDataAsync(['a'])).toBe('kept')
})
