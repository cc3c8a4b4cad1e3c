import { expect, test } from 'vitest'
import { MemoryStorage } from '../../src/storages/memory/index.ts'
import { counting, createClient, fulfilled, Origin, watched } from './setting.ts'

test('gcTime: 0 returns the value, then evicts', async () => {
  const { client, clock } = createClient({ gcTime: 0 })
  const queryFn = counting()
  const call = watched(client.fetchQuery({ queryKey: ['a'], queryFn }))
  await clock.advance(0)
  expect(call.now).toEqual(fulfilled(1))
  expect(client.cache.size).toBe(0)
  expect(await client.fetchQuery({ queryKey: ['a'], queryFn })).toBe(2)
})

test('gcTime: 0 does not evict while it fetches or is observed', async () => {
  const { client, clock } = createClient({ gcTime: 0, staleTime: 60_000 })
  const origin = new Origin()
  const call = watched(client.fetchQuery({ queryKey: ['a'], queryFn: origin.queryFn }))
  await clock.advance(10_000)
  expect(client.cache.has(['a'])).toBe(true)
  origin.last.answer('data')
  const leave = client.watch({ queryKey: ['a'], enabled: false }).subscribe(() => {})
  await clock.advance(10_000)
  expect([call.now, client.cache.has(['a'])]).toEqual([fulfilled('data'), true])
  leave()
  await clock.advance(0)
  expect(client.cache.has(['a'])).toBe(false)
})

test('gcTime: 0 works with L2: the value is returned, and read from there again', async () => {
  const { clock } = createClient()
  const memory = new MemoryStorage({ clock })
  const storage = {
    get: (key: string) =>
      new Promise<string | null>((resolve) => clock.setTimeout(() => resolve(memory.get(key)), 5)),
    set: (key: string, value: string, ttl?: number) => memory.set(key, value, ttl),
    delete: (key: string) => memory.delete(key),
  }
  const { client } = createClient({ clock, storage, gcTime: 0, storageTtl: 60_000, staleTime: 60_000 })
  const queryFn = counting()
  const first = watched(client.fetchQuery({ queryKey: ['a'], queryFn }))
  await clock.advance(100)
  const second = watched(client.fetchQuery({ queryKey: ['a'], queryFn }))
  await clock.advance(100)
  const third = watched(client.getQueryDataAsync(['a']))
  await clock.advance(100)
  expect([first.now, second.now, third.now]).toEqual([fulfilled(1), fulfilled(1), fulfilled(1)])
})

test('an unused query leaves L1 after gcTime, not before; each use prolongs its stay', async () => {
  const { client, clock } = createClient({ gcTime: 1_000, staleTime: 60_000 })
  const options = { queryKey: ['a'], queryFn: counting() }
  await client.fetchQuery(options)
  for (const use of [
    () => client.fetchQuery(options),
    () => client.getQueryData(['a']),
    () => client.setQueryData(['a'], 1),
    () => client.getQueryDataAsync(['a']),
  ]) {
    await clock.advance(999)
    expect(client.cache.has(['a'])).toBe(true)
    await use()
  }
  await clock.advance(999)
  expect(client.cache.has(['a'])).toBe(true)
  await clock.advance(1)
  expect(client.cache.has(['a'])).toBe(false)
  expect(client.stats().evictions).toBe(1)
})

test('the longest gcTime among users of a query wins', async () => {
  const { client, clock } = createClient({ gcTime: 10, staleTime: 60_000 })
  const queryFn = counting()
  await client.fetchQuery({ queryKey: ['a'], queryFn, gcTime: 100 })
  await client.fetchQuery({ queryKey: ['a'], queryFn, gcTime: 1_000 })
  await client.fetchQuery({ queryKey: ['a'], queryFn, gcTime: 50 })
  await client.fetchQuery({ queryKey: ['a'], queryFn })
  await clock.advance(999)
  expect(client.cache.has(['a'])).toBe(true)
  await clock.advance(1)
  expect(client.cache.has(['a'])).toBe(false)
  await client.fetchQuery({ queryKey: ['b'], queryFn, gcTime: 100 })
  client.watch({ queryKey: ['b'], enabled: false, gcTime: 2_000 }).subscribe(() => {})()
  await clock.advance(1_999)
  expect(client.cache.has(['b'])).toBe(true)
  await clock.advance(1)
  expect(client.cache.has(['b'])).toBe(false)
})

test('nothing observed or fetching is ever evicted, neither by age nor by number', async () => {
  const { client, clock } = createClient({ gcTime: 10, cacheMaxSize: 2, staleTime: 60_000 })
  const origin = new Origin()
  const calls = [1, 2, 3].map((n) =>
    watched(client.fetchQuery({ queryKey: ['fetching', n], queryFn: origin.queryFn })),
  )
  const leaves = [1, 2, 3].map((n) => {
    client.setQueryData(['observed', n], n)
    return client.watch({ queryKey: ['observed', n], enabled: false }).subscribe(() => {})
  })
  client.setQueryData(['at rest'], 1)
  await clock.advance(100_000)
  expect(client.cache.find(['fetching'])).toHaveLength(3)
  expect(client.cache.find(['observed'])).toHaveLength(3)
  for (const call of origin.calls) call.answer('data')
  await clock.settle()
  expect(calls.map(({ now }) => now)).toEqual(Array(3).fill(fulfilled('data')))
  expect(client.cache.find(['observed'])).toHaveLength(3)
  for (const leave of leaves) leave()
  expect(client.cache.size).toBe(2)
  await clock.advance(10)
  expect(client.cache.size).toBe(0)
})

test('beyond cacheMaxSize the least recently used leave first, in the exact order of use', () => {
  const { client } = createClient({ cacheMaxSize: 4, staleTime: 60_000 })
  const names = () => client.cache.find().map(({ queryKey }) => queryKey[0])
  for (const name of ['a', 'b', 'c', 'd']) client.setQueryData([name], name)
  client.getQueryData(['a'])
  void client.fetchQuery({ queryKey: ['c'], queryFn: () => 'never' })
  client.setQueryData(['e'], 'e')
  expect(names()).toEqual(['a', 'c', 'd', 'e'])
  client.setQueryData(['f'], 'f')
  expect(names()).toEqual(['a', 'c', 'e', 'f'])
  client.setQueryData(['g'], 'g')
  expect(names()).toEqual(['c', 'e', 'f', 'g'])
  expect(client.stats().evictions).toBe(3)
})

test('the order of use is exact among queries of different gcTime, within one millisecond and when the clock steps back', async () => {
  const { clock } = createClient()
  const skewed = clock.skewed(0)
  const { client } = createClient({ clock: skewed, cacheMaxSize: 3, staleTime: 60_000 })
  const add = (name: string, gcTime: number) =>
    client.fetchQuery({ queryKey: [name], queryFn: () => name, gcTime })
  const names = () => client.cache.find().map(({ queryKey }) => queryKey[0])
  await add('long', 9_000_000)
  await add('short', 1_000_000)
  client.getQueryData(['long'])
  await add('middle', 5_000_000)
  await add('x', 3_000_000)
  expect(names()).toEqual(['long', 'middle', 'x'])
  skewed.skew = -60_000
  client.getQueryData(['long'])
  client.getQueryData(['middle'])
  await add('y', 3_000_000)
  expect(names()).toEqual(['long', 'middle', 'y'])
})

test('cacheMaxSize 1 keeps the newest; Infinity keeps all', () => {
  const one = createClient({ cacheMaxSize: 1 }).client
  const all = createClient({ cacheMaxSize: Number.POSITIVE_INFINITY }).client
  for (let i = 0; i < 2_000; i++) {
    one.setQueryData(['n', i], i)
    all.setQueryData(['n', i], i)
  }
  expect([one.cache.size, one.getQueryData(['n', 1_999])]).toEqual([1, 1_999])
  expect(all.cache.size).toBe(2_000)
})

test('what was evicted is fetched like new', async () => {
  const { client, clock } = createClient({ gcTime: 100, staleTime: 60_000 })
  const options = { queryKey: ['a'], queryFn: counting() }
  await client.fetchQuery(options)
  await clock.advance(100)
  expect(await client.fetchQuery(options)).toBe(2)
})

test('expiry takes one timer for any number of queries', async () => {
  const { client, clock } = createClient({ gcTime: 1_000 })
  for (let i = 0; i < 500; i++) {
    client.setQueryData(['n', i], i)
    await client.fetchQuery({ queryKey: ['m', i], queryFn: () => i, gcTime: i })
  }
  expect(clock.pendingTimers).toBe(1)
  await clock.advance(2_000)
  expect([client.cache.size, clock.pendingTimers]).toEqual([0, 0])
})

test('a look at L2 that finds nothing leaves no entry in L1', async () => {
  const { client } = createClient({ storage: new MemoryStorage() })
  expect(await client.getQueryDataAsync(['absent'])).toBe(undefined)
  expect(client.cache.size).toBe(0)
})
