import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { dependentQuery, QueryClient, type QueryClientConfig, queryOptions } from '../../src/index.ts'
import { openStorage } from '../storages/sqlite/setting.ts'
import { createClient, RecordingLogger } from './setting.ts'

const invalid = (text: RegExp) => ({ code: 'INVALID_OPTION', message: expect.stringMatching(text) })
const duration = /expected a number of milliseconds/

test.each<[string, unknown, RegExp]>([
  ['staleTime', -1, /staleTime: -1; expected a number of milliseconds from 0 to Infinity/],
  ['staleTime', Number.NaN, /staleTime: NaN/],
  ['gcTime', '5', /gcTime: "5"/],
  ['gcTime', null, /gcTime: null/],
  ['storageTtl', Number.NEGATIVE_INFINITY, /storageTtl: -Infinity/],
  ['storageTimeout', 0, /storageTimeout: 0; expected a number of milliseconds greater than 0/],
  ['storageTimeout', Number.NaN, /storageTimeout: NaN/],
  ['retry', -1, /retry: -1; expected a number from 0 to Infinity, a boolean or a function/],
  ['retry', 'often', /retry: "often"/],
  ['retryDelay', -5, /retryDelay: -5/],
  ['cacheMaxSize', 0, /cacheMaxSize: 0; expected a whole number from 1, or Infinity/],
  ['cacheMaxSize', 1.5, /cacheMaxSize: 1.5/],
  ['namespace', 'a b', /namespace: "a b"; expected 1 to 40 letters/],
  ['namespace', '', /namespace: ""/],
  ['storage', {}, /storage: an object with no properties without get, set, delete; expected an object with/],
  ['storage', { get() {}, set() {} }, /storage: an object with get, set without delete/],
  ['storage', null, /storage: null without get, set, delete/],
  ['storage', 'cache.db', /storage: "cache.db" without get/],
  ['serializer', { parse() {} }, /serializer: .* without stringify/],
  ['logger', { warn() {} }, /logger: .* without error/],
  ['clock', {}, /clock: .* without now, setTimeout, clearTimeout/],
  ['staleTimeout', 5, /Unknown option "staleTimeout"; expected storage, staleTime/],
])('a client with a bad %s (%j) is refused, quoting it and saying what was expected', (name, value, text) => {
  expect(() => new QueryClient({ [name]: value } as QueryClientConfig)).toThrow(
    expect.objectContaining(invalid(text)),
  )
})

test.each<[string, unknown, RegExp]>([
  ['queryFn', 'text', /queryFn: "text"; expected a function/],
  ['staleTime', -1, duration],
  ['gcTime', Number.NaN, duration],
  ['storageTtl', -0.1, duration],
  ['retry', Number.NaN, /retry: NaN/],
  ['retryDelay', -1, duration],
  ['fetchTimeout', 0, /fetchTimeout: 0; expected a number of milliseconds greater than 0/],
  ['fetchTimeout', -1, duration],
  ['whenStale', 'never', /whenStale: "never"; expected "serve" or "wait"/],
  ['storage', 'no', /storage: "no"; expected true or false/],
  ['initialDataUpdatedAt', -1, duration],
  ['validate', {}, /validate: .*; expected a Standard Schema/],
  ['validate', null, /validate: null; expected a Standard Schema/],
  ['onSuccess', 1, /onSuccess: 1; expected a function/],
  ['onError', [], /onError: an array of 0; expected a function/],
  ['onSettled', 5n, /onSettled: 5n; expected a function/],
  ['signal', {}, /signal: .*; expected an AbortSignal/],
  ['signal', null, /signal: null; expected an AbortSignal/],
])(
  'a query with a bad %s (%o) is refused, quoting it and saying what was expected',
  async (name, value, text) => {
    const { client } = createClient()
    const options = { queryKey: ['a'], queryFn: () => 1, [name]: value }
    await expect(client.fetchQuery(options as never)).rejects.toMatchObject(invalid(text))
    expect(() => client.watch(options as never)).toThrow(expect.objectContaining(invalid(text)))
    expect(client.cache.size).toBe(0)
  },
)

test.each<[string, unknown, RegExp]>([
  ['enabled', 'yes', /enabled: "yes"; expected true or false/],
  ['refetchInterval', 0, /refetchInterval: 0; expected a number of milliseconds greater than 0/],
  ['refetchInterval', Number.NaN, /refetchInterval: NaN/],
  ['refetchInterval', true, /refetchInterval: true/],
  ['select', 'name', /select: "name"; expected a function/],
])(
  'an observer with a bad %s (%o) is refused, also by setOptions, which then changes nothing',
  (name, value, text) => {
    const { client } = createClient()
    const good = { queryKey: ['a'], enabled: false }
    const bad = { ...good, queryKey: ['b'], [name]: value }
    expect(() => client.watch(bad as never)).toThrow(expect.objectContaining(invalid(text)))
    const observer = client.watch(good)
    client.setQueryData(['a'], 'shown')
    expect(() => observer.setOptions(bad as never)).toThrow(expect.objectContaining(invalid(text)))
    expect(observer.result.data).toBe('shown')
  },
)

test.each<[unknown, RegExp]>([
  [{ status: 'success' }, /unknown property "status"; expected queryKey, exact, type, stale, predicate/],
  [{ type: 'fetching' }, /filter.type: "fetching"; expected "all" or "active" or "inactive"/],
  [{ exact: 'yes' }, /filter.exact: "yes"/],
  [{ stale: 1 }, /filter.stale: 1/],
  [{ predicate: 'x' }, /filter.predicate: "x"; expected a function/],
  [{ exact: true }, /exact is true without a queryKey/],
  ['user', /filter: "user"; expected a query key or a filter object/],
  [null, /filter: null/],
  [7, /filter: 7/],
])('a bad filter is refused by every method that takes one: %j', async (filter, text) => {
  const { client } = createClient()
  client.setQueryData(['a'], 1)
  const given = filter as never
  const methods = [
    'invalidateQueries',
    'removeQueries',
    'refetchQueries',
    'cancelQueries',
    'resetQueries',
  ] as const
  for (const method of methods) await expect(client[method](given)).rejects.toMatchObject(invalid(text))
  for (const call of [
    () => client.pauseQueries(given),
    () => client.resumeQueries(given),
    () => client.cache.find(given),
  ])
    expect(call).toThrow(expect.objectContaining(invalid(text)))
  expect(client.getQueryState(['a'])).toMatchObject({ data: 1, isInvalidated: false, isPaused: false })
})

test('a bad mutation is refused', () => {
  const { client } = createClient()
  expect(() => client.mutation({} as never)).toThrow(
    expect.objectContaining(invalid(/mutationFn: undefined/)),
  )
  expect(() => client.mutation(undefined as never)).toThrow(expect.objectContaining(invalid(/mutationFn/)))
  const mutationFn = () => 1
  for (const bad of [{ retry: -1 }, { retryDelay: Number.NaN }, { onMutate: 1 }, { onSettled: 'x' }])
    expect(() => client.mutation({ mutationFn, ...bad } as never)).toThrow(
      expect.objectContaining(invalid(/expected/)),
    )
})

test('a bad timeout of flush or close is refused and closes nothing', async () => {
  const { client } = createClient()
  await expect(client.flush({ timeout: -1 })).rejects.toMatchObject(invalid(/timeout: -1/))
  await expect((async () => client.close({ timeout: Number.NaN }))()).rejects.toMatchObject(invalid(/NaN/))
  expect(await client.fetchQuery({ queryKey: ['a'], queryFn: () => 1 })).toBe(1)
})

test.each<[string, (path: string) => string]>([
  [
    'a directory',
    (path) => {
      mkdirSync(path)
      return path
    },
  ],
  [
    'a path under a file',
    (path) => {
      writeFileSync(path, 'a file')
      return join(path, 'cache.db')
    },
  ],
])('an SQLite path that cannot be used (%s): one clear log line, L1 goes on', async (_, prepare) => {
  const folder = mkdtempSync(join(tmpdir(), 'stackquery-'))
  const log = new RecordingLogger()
  const path = prepare(join(folder, 'cache'))
  // The store's thread is real, and so is the time; a slow machine must not look like a hung store.
  const client = new QueryClient({
    storage: openStorage({ path }),
    logger: log,
    staleTime: 60_000,
    storageTimeout: 15_000,
  })
  onTestFinished(async () => {
    await client.close({ timeout: 0 })
    rmSync(folder, { recursive: true, force: true })
  })
  for (let i = 0; i < 20; i++) {
    expect(await client.fetchQuery({ queryKey: ['a', i], queryFn: () => i })).toBe(i)
    expect(await client.fetchQuery({ queryKey: ['a', i], queryFn: () => 'never' as never })).toBe(i)
  }
  await expect.poll(() => client.stats().storage?.circuit).not.toBe('closed')
  const lines = log.lines.filter(({ level }) => level !== 'info')
  expect(lines).toHaveLength(1)
  expect(`${lines[0]?.message} ${String(lines[0]?.details[0])}`).toContain(path)
})

test('options that are none are refused by name', async () => {
  const { client } = createClient()
  const none = invalid(/options: undefined; expected an object/)
  await expect(client.fetchQuery(undefined as never)).rejects.toMatchObject(none)
  await expect(dependentQuery(client, undefined as never)).rejects.toMatchObject(none)
  expect(() => client.watch(undefined as never)).toThrow(expect.objectContaining(none))
  expect(() => queryOptions(undefined as never)).toThrow(expect.objectContaining(none))
  expect(() => new QueryClient(5 as never)).toThrow(
    expect.objectContaining(invalid(/config: 5; expected an object/)),
  )
})
