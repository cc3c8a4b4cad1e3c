import { expect, test } from 'vitest'
import { createClient } from './setting.ts'

function setting() {
  const { client, ...rest } = createClient({ staleTime: 100 })
  for (const key of [['a'], ['a', 1], ['a', { x: 1, y: 2 }], ['b']]) client.setQueryData(key, 'data')
  const find = (filter?: Parameters<typeof client.cache.find>[0]) =>
    client.cache.find(filter).map(({ queryKey }) => queryKey)
  return { client, find, ...rest }
}

test('a filter is a key prefix, or says queryKey and exact', () => {
  const { find } = setting()
  expect(find()).toHaveLength(4)
  expect(find([])).toHaveLength(4)
  expect(find({})).toHaveLength(4)
  expect(find(['a'])).toEqual([['a'], ['a', 1], ['a', { x: 1, y: 2 }]])
  expect(find({ queryKey: ['a'] })).toHaveLength(3)
  expect(find({ queryKey: ['a'], exact: false })).toHaveLength(3)
  expect(find({ queryKey: ['a'], exact: true })).toEqual([['a']])
  expect(find({ queryKey: ['a', { y: 2, x: 1 }], exact: true })).toHaveLength(1)
  expect(find({ queryKey: ['a', { x: 1 }] })).toEqual([])
  expect(find({ queryKey: ['none'], exact: true })).toEqual([])
})

test('type tells active from inactive: only an enabled observer makes a query active', () => {
  const { client, find } = setting()
  client.watch({ queryKey: ['b'], queryFn: () => 1 }).subscribe(() => {})
  client.watch({ queryKey: ['a'], enabled: false }).subscribe(() => {})
  client.watch({ queryKey: ['a', 1], queryFn: () => 1 })
  expect(find({ type: 'active' })).toEqual([['b']])
  expect(find({ type: 'inactive' })).toHaveLength(3)
  expect(find({ type: 'all' })).toHaveLength(4)
})

test('stale goes by the age that the query itself allows', async () => {
  const { client, find, clock } = setting()
  await client.fetchQuery({ queryKey: ['long'], queryFn: () => 1, staleTime: 1_000 })
  expect(find({ stale: true })).toEqual([])
  await clock.advance(100)
  expect(find({ stale: true })).toHaveLength(4)
  expect(find({ stale: false })).toEqual([['long']])
  await client.invalidateQueries(['long'])
  expect(find({ stale: true, queryKey: ['long'] })).toEqual([['long']])
})

test('a predicate sees key and state; all conditions must hold', () => {
  const { find } = setting()
  const predicate = ({ queryKey, state }: { queryKey: readonly unknown[]; state: { data: unknown } }) =>
    queryKey.length === 2 && state.data === 'data'
  expect(find({ predicate })).toHaveLength(2)
  expect(find({ predicate, queryKey: ['a', 1] })).toEqual([['a', 1]])
  expect(find({ predicate, queryKey: ['b'] })).toEqual([])
})

test('a predicate that throws throws to its caller, before anything has been done', async () => {
  const { client, find } = setting()
  let asked = 0
  const predicate = () => {
    if (++asked === 3) throw new Error('predicate')
    return true
  }
  await expect(client.removeQueries({ predicate })).rejects.toThrow('predicate')
  asked = 0
  expect(() => client.pauseQueries({ predicate })).toThrow('predicate')
  expect(find()).toHaveLength(4)
  expect(find({ predicate: ({ state }) => state.isPaused })).toEqual([])
})

test('cache tells size and presence and is no use of what it finds', async () => {
  const { client, clock } = createClient({ gcTime: 100 })
  client.setQueryData(['a'], 1)
  await clock.advance(60)
  expect([client.cache.size, client.cache.has(['a']), client.cache.has(['b'])]).toEqual([1, true, false])
  client.cache.find()
  client.getQueryState(['a'])
  await clock.advance(40)
  expect(client.cache.size).toBe(0)
})

test('what find gives is a copy that changes nothing', () => {
  const { client } = createClient()
  client.setQueryData(['a', { n: 1 }], 1)
  const [found] = client.cache.find() as unknown as [{ queryKey: unknown[]; data: unknown }]
  found.data = 2
  found.queryKey.push('more')
  expect(client.getQueryData(['a', { n: 1 }])).toBe(1)
  expect(client.cache.has(['a', { n: 1 }])).toBe(true)
})
