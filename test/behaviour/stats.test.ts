import { expect, test } from 'vitest'
import { MemoryStorage } from '../../src/storages/memory/index.ts'
import { counting, createClient, watched } from './setting.ts'

test('stats count hits, misses, stale serves, joins, origin calls and failures, entries and evictions', async () => {
  const { client, clock } = createClient({ staleTime: 100, gcTime: 1_000, retry: 1, retryDelay: 1 })
  const options = { queryKey: ['a'], queryFn: counting() }
  expect(client.stats()).toEqual({
    entries: 0,
    evictions: 0,
    memoryHits: 0,
    memoryMisses: 0,
    staleServes: 0,
    joins: 0,
    originCalls: 0,
    originFailures: 0,
    storage: null,
    fleet: null,
  })
  await Promise.all([client.fetchQuery(options), client.fetchQuery(options)])
  await client.fetchQuery(options)
  await client.fetchQuery({ ...options, gcTime: 5_000 })
  await clock.advance(100)
  await client.fetchQuery(options)
  await clock.settle()
  void watched(client.fetchQuery({ queryKey: ['bad'], queryFn: () => Promise.reject(new Error('x')) }))
  await clock.advance(2_000)
  expect(client.stats()).toEqual({
    entries: 1,
    evictions: 1,
    memoryHits: 2,
    memoryMisses: 3,
    staleServes: 1,
    joins: 1,
    originCalls: 4,
    originFailures: 2,
    storage: null,
    fleet: null,
  })
})

test('stats count what L2 answers, and its stale serves', async () => {
  const storage = new MemoryStorage()
  const writer = createClient({ storage })
  writer.client.setQueryData(['a'], 1)
  await writer.client.flush()
  expect(writer.client.stats().storage).toMatchObject({ pending: 0, circuit: 'closed' })
  const { client, clock } = createClient({ storage: storage.connect() })
  const call = watched(client.fetchQuery({ queryKey: ['a'], queryFn: counting() }))
  await clock.settle()
  expect(call.now.is).toBe('fulfilled')
  expect(client.stats()).toMatchObject({
    memoryMisses: 1,
    staleServes: 1,
    originCalls: 1,
    storage: { hits: 1, misses: 0 },
  })
})

test('what stats give is a copy', () => {
  const { client } = createClient()
  const before = client.stats()
  client.setQueryData(['a'], 1)
  expect(before.entries).toBe(0)
  before.entries = 99
  expect(client.stats().entries).toBe(1)
})
