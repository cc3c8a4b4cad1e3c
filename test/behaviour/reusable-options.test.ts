import { expect, test } from 'vitest'
import { QueryClient, type QueryClientConfig, queryOptions } from '../../src/index.ts'
import { VirtualClock } from '../../src/testing/index.ts'

function counting(config: QueryClientConfig = {}) {
  const clock = new VirtualClock()
  const client = new QueryClient({ staleTime: 60_000, clock, ...config })
  let calls = 0
  const options = queryOptions({ queryKey: ['user', { id: 1 }], queryFn: () => `call ${++calls}` })
  return { clock, client, options, calls: () => calls }
}

test('reusable options are served from L1 call after call', async () => {
  const { client, options, calls } = counting()
  for (let i = 0; i < 3; i++) expect(await client.fetchQuery(options)).toBe('call 1')
  expect(calls()).toBe(1)
  expect(client.stats().memoryHits).toBe(2)
})

test.each(['invalidateQueries', 'removeQueries'] as const)(
  'reusable options get new data after %s',
  async (method) => {
    const { client, options } = counting()
    await client.fetchQuery(options)
    await client.fetchQuery(options)
    await client[method](['user'])
    expect(await client.fetchQuery({ ...options, whenStale: 'wait' })).toBe('call 2')
    expect(await client.fetchQuery(options)).toBe('call 2')
  },
)

test('reusable options get new data after clear, eviction and expiry', async () => {
  const { clock, client, options } = counting({ cacheMaxSize: 1, gcTime: 1_000 })
  await client.fetchQuery(options)
  await client.fetchQuery(options)
  client.clear()
  expect(await client.fetchQuery(options)).toBe('call 2')
  client.setQueryData(['another'], 1)
  expect(client.cache.has(options.queryKey)).toBe(false)
  expect(await client.fetchQuery(options)).toBe('call 3')
  await clock.advance(1_001)
  expect(client.cache.has(options.queryKey)).toBe(false)
  expect(await client.fetchQuery(options)).toBe('call 4')
})

test('two clients that share reusable options share no data', async () => {
  const { clock, client, options } = counting()
  const other = new QueryClient({ staleTime: 60_000, clock })
  expect(await client.fetchQuery(options)).toBe('call 1')
  expect(await other.fetchQuery(options)).toBe('call 2')
  expect(await client.fetchQuery(options)).toBe('call 1')
  expect(await other.fetchQuery(options)).toBe('call 2')
})

test('a use through reusable options renews the life of the query', async () => {
  const { clock, client, options, calls } = counting({ gcTime: 1_000 })
  await client.fetchQuery(options)
  for (let i = 0; i < 3; i++) {
    await clock.advance(800)
    await client.fetchQuery(options)
  }
  expect(calls()).toBe(1)
})

test('a copy with another key leads to another query, also after the original was used', async () => {
  const { client, options } = counting()
  await client.fetchQuery(options)
  await client.fetchQuery(options)
  expect(await client.fetchQuery({ ...options, queryKey: ['user', { id: 2 }] })).toBe('call 2')
  options.queryKey = Object.assign(['user', { id: 3 }]) as typeof options.queryKey
  expect(await client.fetchQuery(options)).toBe('call 3')
})

test('frozen options may be made reusable', async () => {
  const { client } = counting()
  const options = queryOptions(Object.freeze({ queryKey: ['frozen'], queryFn: () => 1 }))
  expect(await client.fetchQuery(options)).toBe(1)
  expect(await client.fetchQuery(options)).toBe(1)
})
