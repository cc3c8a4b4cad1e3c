import { expect, test } from 'vitest'
import { MemoryStorage } from '../../src/storages/memory/index.ts'
import { counting, createClient, fulfilled, Origin, watched } from './setting.ts'

test('invalidation beats staleTime: Infinity', async () => {
  const { client, clock } = createClient({ staleTime: Number.POSITIVE_INFINITY })
  const options = { queryKey: ['a'], queryFn: counting() }
  await client.fetchQuery(options)
  await client.fetchQuery(options)
  await clock.settle()
  expect(options.queryFn.calls).toBe(1)
  await client.invalidateQueries(['a'])
  expect(client.getQueryState(['a'])).toMatchObject({ isInvalidated: true, isStale: true, data: 1 })
  expect(await client.fetchQuery(options)).toBe(1)
  await clock.settle()
  expect(options.queryFn.calls).toBe(2)
  expect(client.getQueryState(['a'])).toMatchObject({ isInvalidated: false, isStale: false, data: 2 })
})

test("invalidation during a fetch is not cleared by that fetch's success (P5)", async () => {
  const { client, clock } = createClient({ staleTime: Number.POSITIVE_INFINITY })
  const origin = new Origin()
  const call = watched(client.fetchQuery({ queryKey: ['a'], queryFn: origin.queryFn }))
  await client.invalidateQueries(['a'])
  origin.last.answer('overtaken')
  await clock.settle()
  expect(call.now).toEqual(fulfilled('overtaken'))
  expect(client.getQueryState(['a'])).toMatchObject({
    data: 'overtaken',
    isInvalidated: true,
    isStale: true,
    fetchStatus: 'idle',
  })
})

test('an overtaken result is never stored in L2 as fresh', async () => {
  const storage = new MemoryStorage()
  const { client, clock } = createClient({ storage, staleTime: Number.POSITIVE_INFINITY })
  const origin = new Origin()
  const options = { queryKey: ['a'], queryFn: origin.queryFn }
  const call = watched(client.fetchQuery(options))
  await clock.settle()
  await client.invalidateQueries(['a'])
  origin.last.answer('overtaken')
  await clock.settle()
  await client.flush()
  expect(call.now).toEqual(fulfilled('overtaken'))
  const other = createClient({ storage: storage.connect(), staleTime: Number.POSITIVE_INFINITY })
  const answer = watched(other.client.fetchQuery({ queryKey: ['a'], queryFn: () => 'anew' }))
  await other.clock.settle()
  expect(answer.now).toEqual(fulfilled('anew'))
})

test('a call made after the invalidation does not join, and its origin call begins when the overtaken one has ended', async () => {
  const { client, clock } = createClient()
  const origin = new Origin()
  const options = { queryKey: ['a'], queryFn: origin.queryFn }
  const before = watched(client.fetchQuery(options))
  await client.invalidateQueries(['a'])
  const after = watched(client.fetchQuery(options))
  await clock.settle()
  expect(origin.calls).toHaveLength(1)
  origin.calls[0]?.answer('old')
  await clock.settle()
  expect([before.now, after.now.is, origin.calls.length]).toEqual([fulfilled('old'), 'pending', 2])
  expect(client.getQueryState(['a'])).toMatchObject({ data: 'old', isInvalidated: true, isFetching: true })
  origin.calls[1]?.answer('new')
  await clock.settle()
  expect(after.now).toEqual(fulfilled('new'))
  expect(client.getQueryState(['a'])).toMatchObject({ data: 'new', isInvalidated: false })
  expect(origin.mostRunning).toBe(1)
})

test('one origin call per key at a time, however often it is invalidated', async () => {
  const { client, clock } = createClient()
  const origin = new Origin()
  const options = { queryKey: ['a'], queryFn: origin.queryFn }
  const calls = []
  for (let i = 0; i < 5; i++) {
    calls.push(watched(client.fetchQuery(options)))
    await client.invalidateQueries(['a'])
    calls.push(watched(client.fetchQuery(options)))
    await client.removeQueries(['a'])
  }
  for (let i = 0; calls.some(({ now }) => now.is === 'pending'); i++) {
    await clock.settle()
    expect(origin.running).toBe(1)
    origin.calls[i]?.answer(`answer ${i}`)
    await clock.settle()
    expect(i).toBeLessThan(10)
  }
  expect(origin.mostRunning).toBe(1)
})

test('an overtaken fetch that nobody waits for is aborted', async () => {
  const { client, clock } = createClient()
  const origin = new Origin()
  client.setQueryData(['a'], 'old')
  await client.fetchQuery({ queryKey: ['a'], queryFn: origin.queryFn })
  await clock.settle()
  await client.invalidateQueries(['a'])
  expect(origin.last.abortReason).toMatchObject({ code: 'CANCELLED' })
  expect(client.getQueryState(['a'])).toMatchObject({ isFetching: false, data: 'old', error: null })
})

test.each(['invalidateQueries', 'removeQueries'] as const)(
  'an overtaken fetch is aborted when its last waiter leaves (%s)',
  async (method) => {
    const { client, clock } = createClient()
    const origin = new Origin()
    const controller = new AbortController()
    const { signal } = controller
    void watched(client.fetchQuery({ queryKey: ['a'], queryFn: origin.queryFn, signal }))
    await client[method](['a'])
    await clock.settle()
    expect(origin.last.abortReason).toBe(undefined)
    controller.abort()
    expect(origin.last.abortReason).toMatchObject({ code: 'CANCELLED' })
  },
)

test('a removed fetch is aborted when its last waiter leaves, also while the query is observed', async () => {
  const { client, clock } = createClient()
  const origin = new Origin()
  const controller = new AbortController()
  client.watch({ queryKey: ['a'], enabled: false }).subscribe(() => {})
  void watched(client.fetchQuery({ queryKey: ['a'], queryFn: origin.queryFn, signal: controller.signal }))
  await client.removeQueries(['a'])
  await clock.settle()
  controller.abort()
  expect(origin.last.abortReason).toMatchObject({ code: 'CANCELLED' })
})

test('the overtaken result does not replace what was set after the fetch began', async () => {
  const { client, clock } = createClient({ staleTime: 1_000 })
  const origin = new Origin()
  const call = watched(client.fetchQuery({ queryKey: ['a'], queryFn: origin.queryFn }))
  await client.invalidateQueries(['a'])
  await clock.advance(1)
  client.setQueryData(['a'], 'by hand')
  origin.last.answer('overtaken')
  await clock.settle()
  expect(call.now).toEqual(fulfilled('overtaken'))
  expect(client.getQueryState(['a'])).toMatchObject({ data: 'by hand', isInvalidated: false })
})

test('nor does that of a later attempt what was set after the first', async () => {
  const { client, clock } = createClient({ staleTime: 1_000 })
  const origin = new Origin()
  const call = watched(
    client.fetchQuery({ queryKey: ['a'], queryFn: origin.queryFn, retry: 1, retryDelay: 100 }),
  )
  await clock.settle()
  origin.last.fail(new Error('not yet'))
  await clock.advance(50)
  client.setQueryData(['a'], 'by hand')
  await client.invalidateQueries(['a'], { refetch: false })
  await clock.advance(50)
  origin.last.answer('overtaken')
  await clock.settle()
  expect(call.now).toEqual(fulfilled('overtaken'))
  expect(client.getQueryState(['a'])).toMatchObject({ data: 'by hand' })
})

test('observed queries are fetched again, behind, unless refetch is false or the observer is disabled', async () => {
  const { client, clock } = createClient({ staleTime: Number.POSITIVE_INFINITY })
  const [watchedFn, disabledFn, unwatchedFn] = [counting(), counting(), counting()]
  client.watch({ queryKey: ['watched'], queryFn: watchedFn }).subscribe(() => {})
  client.watch({ queryKey: ['disabled'], queryFn: disabledFn, enabled: false }).subscribe(() => {})
  await client.fetchQuery({ queryKey: ['disabled'], queryFn: disabledFn })
  await client.fetchQuery({ queryKey: ['unwatched'], queryFn: unwatchedFn })
  await clock.settle()
  await client.invalidateQueries()
  await clock.settle()
  expect([watchedFn.calls, disabledFn.calls, unwatchedFn.calls]).toEqual([2, 1, 1])
  await client.invalidateQueries(undefined, { refetch: false })
  await clock.settle()
  expect([watchedFn.calls, disabledFn.calls, unwatchedFn.calls]).toEqual([2, 1, 1])
})

test('an observed query that is fetching when it is invalidated is fetched again afterwards', async () => {
  const { client, clock } = createClient({ staleTime: Number.POSITIVE_INFINITY })
  const origin = new Origin()
  const observer = client.watch({ queryKey: ['a'], queryFn: origin.queryFn })
  observer.subscribe(() => {})
  await clock.settle()
  await client.invalidateQueries(['a'])
  await clock.settle()
  origin.last.answer('old')
  await clock.settle()
  expect(observer.result).toMatchObject({ data: 'old', isStale: true, isFetching: true })
  origin.last.answer('new')
  await clock.settle()
  expect(observer.result).toMatchObject({ data: 'new', isStale: false, isFetching: false })
  expect([origin.calls.length, origin.mostRunning]).toEqual([2, 1])
})

test('a prefix invalidates the keys that begin with it and no other; no filter means all', async () => {
  const { client } = createClient({ staleTime: Number.POSITIVE_INFINITY })
  const keys = [[], ['a'], ['a', 1], ['a', 1, 'x'], ['a', '1'], ['ab'], [{ a: 1 }]]
  for (const key of keys) client.setQueryData(key, 'data')
  const stale = () => client.cache.find({ stale: true }).map(({ queryKey }) => queryKey)
  await client.invalidateQueries(['a', 1])
  expect(stale()).toEqual([
    ['a', 1],
    ['a', 1, 'x'],
  ])
  await client.invalidateQueries({ queryKey: ['a'], exact: true })
  expect(stale()).toHaveLength(3)
  await client.invalidateQueries([])
  expect(stale()).toHaveLength(keys.length)
})

test('a queryFn may invalidate its own key: its result is stored as invalidated only', async () => {
  const { client, clock } = createClient({ staleTime: Number.POSITIVE_INFINITY })
  for (const [name, before] of [
    ['at once', undefined],
    ['later', Promise.resolve()],
  ] as const) {
    const queryFn = async () => {
      if (before !== undefined) await before
      await client.invalidateQueries([name])
      return 'data'
    }
    const call = watched(client.fetchQuery({ queryKey: [name], queryFn }))
    await clock.settle()
    expect(call.now).toEqual(fulfilled('data'))
    expect(client.getQueryState([name])).toMatchObject({ data: 'data', isInvalidated: true })
  }
})

test('invalidation while the schema looks at data of L2 is not lost', async () => {
  const storage = new MemoryStorage()
  const writer = createClient({ storage })
  writer.client.setQueryData(['a'], 'stored')
  await writer.client.flush()
  const { client, clock } = createClient({ storage: storage.connect(), staleTime: 60_000 })
  let goOn = () => {}
  const gate = new Promise<void>((resolve) => {
    goOn = resolve
  })
  const validate = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: async (value: unknown) => {
        await gate
        return { value: value as string }
      },
    },
  } as const
  const queryFn = counting()
  const call = watched(
    client.fetchQuery<string | number>({ queryKey: ['a'], queryFn, validate: validate as never }),
  )
  await clock.settle()
  await client.invalidateQueries(['a'])
  goOn()
  await clock.settle()
  expect(call.now).toEqual(fulfilled('stored'))
  expect(queryFn.calls).toBe(1)
})

test('invalidating what was invalidated already changes nothing', async () => {
  const { client } = createClient()
  client.setQueryData(['a'], 1)
  const seen: unknown[] = []
  client.watch({ queryKey: ['a'], enabled: false }).subscribe((state) => seen.push(state.isInvalidated))
  await client.invalidateQueries(['a'])
  await client.invalidateQueries(['a'])
  expect(seen).toEqual([false, true])
})
