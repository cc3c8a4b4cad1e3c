import { expect, test } from 'vitest'
import type { QueryKey } from '../../src/index.ts'
import { counting, createClient, Origin } from './setting.ts'

test.each<[QueryKey, QueryKey]>([
  [
    ['a', { x: 1, y: 2 }],
    ['a', { y: 2, x: 1 }],
  ],
  [
    ['a', { x: 1, y: undefined }],
    ['a', { x: 1 }],
  ],
  [
    ['a', -0],
    ['a', 0],
  ],
  [
    ['a', [-0]],
    ['a', [0]],
  ],
  [[new Date(5)], [new Date(5)]],
  [[{ d: new Date(5) }], [{ d: new Date(5) }]],
  [[Number.POSITIVE_INFINITY], [Number.POSITIVE_INFINITY]],
  [[], []],
])('%j and %j name the same query', async (one, two) => {
  const { client } = createClient({ staleTime: 60_000 })
  client.setQueryData(one, 'data')
  expect(client.getQueryData(two)).toBe('data')
  expect(client.cache.size).toBe(1)
  await client.removeQueries({ queryKey: two, exact: true })
  expect(client.cache.size).toBe(0)
})

test('keys that only look alike name different queries', () => {
  const { client } = createClient({ staleTime: 60_000 })
  const keys: QueryKey[] = [
    [],
    [''],
    ['1'],
    [1],
    [1n],
    [true],
    ['true'],
    [null],
    ['null'],
    [[]],
    [{}],
    ['[]'],
    ['{}'],
    [new Date(1)],
    ['D1'],
    [new Date(1).toISOString()],
    [Number.POSITIVE_INFINITY],
    [Number.NEGATIVE_INFINITY],
    ['Infinity'],
    ['\0'],
    ['\0D1'],
    ['\0"a'],
    ['\0\0'],
    ['a', 'b'],
    ['a,b'],
    ['a","b'],
    [['a', 'b']],
    [{ a: 1 }],
    [{ a: '1' }],
    [{ a: null }],
    [{ a: [] }],
    [JSON.parse('{"__proto__":1}')],
  ]
  for (const [i, key] of keys.entries()) client.setQueryData(key, i)
  expect(client.cache.size).toBe(keys.length)
  expect(keys.map((key) => client.getQueryData(key))).toEqual(keys.map((_, i) => i))
})

test.each<[string, unknown, RegExp]>([
  ['no array', 'user', /"user".*expected an array/],
  ['nothing', undefined, /undefined.*expected an array/],
  ['NaN', ['a', Number.NaN], /key\[1\] is NaN/],
  ['undefined', ['a', undefined], /key\[1\] is undefined/],
  ['a hole', new Array(1), /key\[0\] is undefined/],
  ['a function', [{ a: { b: () => 1 } }], /key\[0\]\.a\.b is a function/],
  ['a symbol', [Symbol('s')], /key\[0\] is Symbol\(s\)/],
  ['a symbol as property', [{ [Symbol('s')]: 1 }], /key\[0\] is a plain object with symbols/],
  ['a Map', [new Map()], /key\[0\] is a Map instance/],
  ['a class instance', [new (class User {})()], /key\[0\] is a User instance/],
  ['an invalid Date', [[new Date(Number.NaN)]], /key\[0\]\[0\] is an invalid Date/],
  ['undefined in an array', [{ list: [1, undefined] }], /key\[0\]\.list\[1\] is undefined/],
])('an invalid key is refused with INVALID_QUERY_KEY, naming the path: %s', async (_, key, text) => {
  const { client } = createClient()
  const error = { code: 'INVALID_QUERY_KEY', message: expect.stringMatching(text) }
  await expect(client.fetchQuery({ queryKey: key as QueryKey, queryFn: () => 1 })).rejects.toMatchObject(
    error,
  )
  expect(() => client.setQueryData(key as QueryKey, 1)).toThrow(expect.objectContaining(error))
  expect(() => client.getQueryData(key as QueryKey)).toThrow(expect.objectContaining(error))
  expect(() => client.watch({ queryKey: key as QueryKey })).toThrow(expect.objectContaining(error))
  await expect(client.invalidateQueries({ queryKey: key as QueryKey, exact: true })).rejects.toMatchObject(
    key === undefined ? { code: 'INVALID_OPTION' } : error,
  )
  expect(client.cache.size).toBe(0)
})

test('a cycle in a key is refused, the same object twice is not', () => {
  const { client } = createClient()
  const cycle: Record<string, unknown> = {}
  cycle['self'] = { back: cycle }
  expect(() => client.setQueryData([cycle as never], 1)).toThrow(/key\[0\]\.self\.back refers back/)
  const shared = { a: 1 }
  client.setQueryData([shared, { shared }], 1)
  expect(client.getQueryData([{ a: 1 }, { shared: { a: 1 } }])).toBe(1)
})

test('a key that its caller changes after use still names what it named', async () => {
  const { client, clock } = createClient({ staleTime: 60_000, gcTime: 1_000, cacheMaxSize: 3 })
  const key: [string, { page: number; tags: string[]; at: Date }] = [
    'list',
    { page: 1, tags: ['x'], at: new Date(0) },
  ]
  const original = structuredClone(key)
  client.setQueryData(key, 'data')
  key[0] = 'other'
  key[1].page = 2
  key[1].tags.push('y')
  key[1].at.setTime(9)
  expect(client.getQueryData(key)).toBe(undefined)
  expect(client.getQueryData(original)).toBe('data')
  expect(client.cache.find().map(({ queryKey }) => queryKey)).toEqual([original])
  await client.invalidateQueries({ queryKey: original, exact: true })
  expect(client.getQueryState(original)?.isInvalidated).toBe(true)
  await client.removeQueries({ queryKey: original, exact: true })
  expect(client.cache.size).toBe(0)
  client.setQueryData(original, 'again')
  original[1].page = 7
  for (let i = 0; i < 3; i++) client.setQueryData(['filler', i], i)
  expect(client.cache.size).toBe(3)
  expect(client.cache.find(['filler'])).toHaveLength(3)
  await clock.advance(1_000)
  expect(client.cache.size).toBe(0)
})

test('a queryFn that changes the key it was given changes nothing else', async () => {
  const { client } = createClient({ staleTime: 60_000 })
  const queryFn = ({ queryKey }: { queryKey: QueryKey }) => {
    ;(queryKey as unknown[]).push('more')
    return 'data'
  }
  await client.fetchQuery({ queryKey: ['a'], queryFn })
  expect(client.cache.find().map(({ queryKey }) => queryKey)).toEqual([['a']])
  await client.removeQueries(['a'])
  expect(client.cache.size).toBe(0)
})

test('a predicate that changes the key it was given changes nothing else', async () => {
  const { client } = createClient({ staleTime: 60_000 })
  client.setQueryData(['a'], 1)
  client.cache.find({ predicate: ({ queryKey }) => (queryKey as unknown[]).push('more') > 0 })
  await client.removeQueries(['a'])
  expect(client.cache.size).toBe(0)
})

test('options whose key is changed after use are still those of their query', async () => {
  const { client, clock } = createClient({ staleTime: 60_000 })
  const queryFn = counting()
  const options = { queryKey: ['a', { page: 1 }] as ['a', { page: number }], queryFn, initialData: 0 }
  const observer = client.watch(options)
  observer.subscribe(() => {})
  options.queryKey[1].page = 2
  await client.resetQueries(['a'])
  await clock.settle()
  client.setQueryData(['a', { page: 1 }], 5)
  expect(observer.result.data).toBe(5)
  expect(client.cache.find().map(({ queryKey }) => queryKey)).toEqual([['a', { page: 1 }]])
})

test('prefix [] is every key; key [] is a key of its own', async () => {
  const { client, clock } = createClient({ staleTime: 60_000 })
  const origin = new Origin()
  const call = client.fetchQuery({ queryKey: [], queryFn: origin.queryFn })
  origin.last.answer('data')
  expect(await call).toBe('data')
  client.setQueryData(['a'], 1)
  await client.invalidateQueries({ queryKey: [], exact: true })
  expect(client.cache.find({ stale: true })).toHaveLength(1)
  await client.invalidateQueries([])
  expect(client.cache.find({ stale: true })).toHaveLength(2)
  await client.removeQueries({ queryKey: [], exact: true })
  expect(client.cache.find().map(({ queryKey }) => queryKey)).toEqual([['a']])
  await client.removeQueries([])
  await clock.settle()
  expect(client.cache.size).toBe(0)
})

test('a key that whoever was told it changes still names what it named', async () => {
  const { client } = createClient({ staleTime: 60_000 })
  const keyOf = (): [Date, { at: Date }] => [new Date(5), { at: new Date(6) }]
  const change = ({ queryKey }: { queryKey: QueryKey }) => {
    const [date, { at }] = queryKey as ReturnType<typeof keyOf>
    date.setTime(0)
    at.setTime(0)
    return true
  }
  await client.fetchQuery({ queryKey: keyOf(), queryFn: (context) => change(context) && 'data' })
  for (const found of client.cache.find()) change(found)
  client.cache.find({ predicate: change })
  expect(client.cache.find()).toMatchObject([{ queryKey: keyOf() }])
  expect(client.getQueryData(keyOf())).toBe('data')
  await client.removeQueries({ queryKey: keyOf(), exact: true })
  expect(client.cache.size).toBe(0)
})
