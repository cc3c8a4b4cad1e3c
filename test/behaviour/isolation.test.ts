import { expect, test } from 'vitest'
import { MemoryStorage } from '../../src/storages/memory/index.ts'
import { counting, createClient, Origin } from './setting.ts'

test('two clients share nothing', async () => {
  const [one, two] = [createClient({ staleTime: 60_000 }), createClient({ staleTime: 60_000 })]
  const origin = new Origin()
  const options = { queryKey: ['a'], queryFn: origin.queryFn }
  const { signal } = new AbortController()
  const calls = [one, two].map(({ client }) => client.fetchQuery({ ...options, signal }))
  expect(origin.calls).toHaveLength(2)
  origin.calls[0]?.answer('one')
  origin.calls[1]?.answer('two')
  expect(await Promise.all(calls)).toEqual(['one', 'two'])
  const heard: unknown[] = []
  two.client.watch({ ...options, enabled: false }).subscribe(({ data }) => heard.push(data))
  one.client.setQueryData(['a'], 'changed')
  await one.client.invalidateQueries()
  one.client.pauseQueries()
  await one.client.close()
  expect(heard).toEqual(['two'])
  expect(await two.client.fetchQuery(options)).toBe('two')
  expect(two.client.stats()).toMatchObject({ entries: 1, originCalls: 1, memoryHits: 1 })
})

test('two namespaces in one store never see each other', async () => {
  const storage = new MemoryStorage()
  const one = createClient({ storage, namespace: 'one' })
  const two = createClient({ storage: storage.connect(), namespace: 'two' })
  one.client.setQueryData(['a'], 'of one')
  await one.client.flush()
  expect(await two.client.getQueryDataAsync(['a'])).toBe(undefined)
  await two.client.removeQueries()
  one.client.clear()
  expect(await one.client.getQueryDataAsync(['a'])).toBe('of one')
})

test('an object of options serves any number of clients and calls', async () => {
  const options = Object.freeze({
    queryKey: Object.freeze(['a', Object.freeze({ b: 1 })]),
    queryFn: counting(),
  })
  const clients = [createClient().client, createClient().client]
  for (const client of clients) await client.fetchQuery(options as never)
  expect(options.queryFn.calls).toBe(2)
})
