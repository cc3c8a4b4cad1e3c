import { expect, test } from 'vitest'
import type { QueryState } from '../../src/index.ts'
import { counting, createClient, fulfilled, Origin, watched } from './setting.ts'

test('subscribe calls its listener once at once, synchronously, then at every change', async () => {
  const { client, clock } = createClient({ staleTime: 60_000 })
  const origin = new Origin()
  const seen: unknown[] = []
  client
    .watch({ queryKey: ['a'], queryFn: origin.queryFn })
    .subscribe(({ status, fetchStatus, data }) => seen.push([status, fetchStatus, data]))
  expect(seen).toEqual([['pending', 'fetching', undefined]])
  await clock.settle()
  origin.last.answer('data')
  await clock.settle()
  client.setQueryData(['a'], 'new')
  expect(seen).toEqual([
    ['pending', 'fetching', undefined],
    ['success', 'idle', 'data'],
    ['success', 'idle', 'new'],
  ])
})

test('a second subscriber is called at once with what is known; the fetch is one', async () => {
  const { client, clock } = createClient({ staleTime: 60_000 })
  const queryFn = counting()
  const observer = client.watch({ queryKey: ['a'], queryFn })
  observer.subscribe(() => {})
  await clock.settle()
  const seen: unknown[] = []
  observer.subscribe(({ data }) => seen.push(data))
  client.watch({ queryKey: ['a'], queryFn }).subscribe(({ data }) => seen.push(data))
  await clock.settle()
  expect([seen, queryFn.calls]).toEqual([[1, 1], 1])
})

test('an observer that nobody subscribes to fetches nothing and shows what L1 holds', async () => {
  const { client, clock } = createClient()
  const queryFn = counting()
  const observer = client.watch({ queryKey: ['a'], queryFn })
  expect(observer.result).toMatchObject({
    status: 'idle',
    fetchStatus: 'idle',
    data: undefined,
    isStale: true,
  })
  expect(client.cache.has(['a'])).toBe(false)
  client.setQueryData(['a'], 7)
  await clock.settle()
  expect([observer.result.data, queryFn.calls]).toEqual([7, 0])
})

test('subscribing fetches what is missing or stale, and nothing that is fresh', async () => {
  const { client, clock } = createClient({ staleTime: 1_000 })
  const queryFn = counting()
  const observer = client.watch({ queryKey: ['a'], queryFn })
  observer.subscribe(() => {})()
  await clock.settle()
  observer.subscribe(() => {})()
  await clock.settle()
  expect(queryFn.calls).toBe(1)
  await clock.advance(1_000)
  observer.subscribe(() => {})()
  await clock.settle()
  expect(queryFn.calls).toBe(2)
})

test('a disabled observer shows and never fetches, until it is enabled', async () => {
  const { client, clock } = createClient()
  const queryFn = counting()
  const options = { queryKey: ['a'], queryFn, refetchInterval: 10 }
  const observer = client.watch({ ...options, enabled: false })
  observer.subscribe(() => {})
  await client.invalidateQueries()
  await clock.advance(100)
  expect(queryFn.calls).toBe(0)
  expect((await observer.refetch()).data).toBe(1)
  observer.setOptions({ ...options, enabled: true })
  await clock.settle()
  expect(observer.result.data).toBe(2)
})

test("an observer's isStale flips by time alone", async () => {
  const { client, clock } = createClient({ staleTime: 100 })
  const seen: boolean[] = []
  const queryFn = counting()
  client.watch({ queryKey: ['a'], queryFn }).subscribe(({ isStale }) => seen.push(isStale))
  await clock.advance(99)
  expect(seen).toEqual([true, false])
  await clock.advance(1)
  expect(seen).toEqual([true, false, true])
  expect(queryFn.calls).toBe(1)
})

test('a changed staleTime moves the moment at which isStale flips', async () => {
  const { client, clock } = createClient()
  const options = { queryKey: ['a'], queryFn: counting() }
  const observer = client.watch({ ...options, staleTime: 60_000 })
  const seen: boolean[] = []
  observer.subscribe(({ isStale }) => seen.push(isStale))
  await clock.settle()
  observer.setOptions({ ...options, staleTime: 100 })
  await clock.advance(100)
  expect(seen).toEqual([true, false, true])
})

test('setOptions with another key shows that query and lets go of the first', async () => {
  const { client, clock } = createClient({ staleTime: 60_000, gcTime: 1_000 })
  const queryFn = ({ queryKey }: { queryKey: readonly unknown[] }) => `data of ${queryKey[0]}`
  const observer = client.watch<string>({ queryKey: ['a'], queryFn })
  const seen: unknown[] = []
  observer.subscribe(({ data }) => seen.push(data))
  await clock.settle()
  observer.setOptions({ queryKey: ['b'], queryFn } as never)
  await clock.settle()
  client.setQueryData(['a'], 'unseen')
  expect(seen).toEqual([undefined, 'data of a', undefined, 'data of b'])
  await clock.advance(1_000)
  expect([client.cache.has(['a']), client.cache.has(['b'])]).toEqual([false, true])
})

test('setOptions before anybody subscribes just counts from then on', async () => {
  const { client, clock } = createClient()
  const observer = client.watch<string>({ queryKey: ['a'], queryFn: () => 'a' })
  observer.setOptions({ queryKey: ['b'], queryFn: () => 'b' } as never)
  observer.subscribe(() => {})
  await clock.settle()
  expect([observer.result.data, client.cache.has(['a'])]).toEqual(['b', false])
})

test('refetch resolves to the state after it and never rejects', async () => {
  const { client } = createClient({ retry: false })
  let calls = 0
  const queryFn = () => {
    if (++calls > 1) throw new Error('down')
    return 'data'
  }
  const observer = client.watch({ queryKey: ['a'], queryFn })
  expect(await observer.refetch()).toMatchObject({ status: 'success', data: 'data' })
  expect(await observer.refetch()).toMatchObject({
    status: 'error',
    data: 'data',
    error: { message: 'down' },
  })
})

test('a listener that throws changes nothing and skips nobody', async () => {
  const { client, clock, log } = createClient({ staleTime: 60_000 })
  const seen: unknown[] = []
  const observer = client.watch({ queryKey: ['a'], queryFn: () => 'data' })
  const listeners = [
    () => seen.push('first'),
    () => {
      throw new Error('listener')
    },
    () => Promise.reject(new Error('async listener')),
    () => seen.push('last'),
  ]
  for (const listener of listeners) observer.subscribe(listener)
  client.watch({ queryKey: ['a'], queryFn: () => 'data' }).subscribe(() => seen.push('other observer'))
  const call = watched(client.fetchQuery({ queryKey: ['a'], queryFn: () => 'data' }))
  seen.length = 0
  await clock.settle()
  expect(call.now).toEqual(fulfilled('data'))
  expect(seen).toEqual(['first', 'last', 'other observer'])
  expect(client.getQueryState(['a'])).toMatchObject({ status: 'success', data: 'data' })
  expect(log.messages.filter((message) => message.includes('listener threw'))).toHaveLength(2)
  expect(log.messages.filter((message) => message.includes('listener rejected'))).toHaveLength(2)
})

test('unsubscribing during a notification skips nobody, and who has left is not called', () => {
  const { client } = createClient({ staleTime: 60_000 })
  client.setQueryData(['a'], 0)
  const seen: string[] = []
  const observers = ['a', 'b', 'c', 'd'].map(() => client.watch({ queryKey: ['a'], enabled: false }))
  const leaves: (() => void)[] = []
  for (const [i, observer] of observers.entries()) {
    for (const half of [0, 1]) {
      const name = `${i}.${half}`
      leaves.push(
        observer.subscribe(({ data }) => {
          if (data !== 1) return
          seen.push(name)
          if (name === '1.0') for (const gone of [2, 3, 6]) leaves[gone]?.()
        }),
      )
    }
  }
  client.setQueryData(['a'], 1)
  expect(seen).toEqual(['0.0', '0.1', '1.0', '2.0', '2.1', '3.1'])
})

test('a listener that changes the data leaves every listener with the newest, in order', () => {
  const { client } = createClient({ staleTime: 60_000 })
  client.setQueryData(['a'], 0)
  const observer = client.watch({ queryKey: ['a'], enabled: false })
  const seen: Record<string, unknown[]> = { first: [], second: [], other: [] }
  observer.subscribe(({ data }) => {
    seen['first']?.push(data)
    if (data === 1) client.setQueryData(['a'], 2)
  })
  observer.subscribe(({ data }) => seen['second']?.push(data))
  client
    .watch({ queryKey: ['a'], enabled: false })
    .subscribe(({ data }: QueryState<unknown>) => seen['other']?.push(data))
  client.setQueryData(['a'], 1)
  for (const [name, states] of Object.entries(seen)) {
    expect([name, states.at(-1)]).toEqual([name, 2])
    expect([name, states]).toEqual([name, [...states].sort()])
  }
})

test('a listener may fetch, invalidate, remove, subscribe and unsubscribe everything', async () => {
  const { client, clock } = createClient({ staleTime: 60_000 })
  const queryFn = counting()
  const options = { queryKey: ['a'], queryFn }
  const observer = client.watch(options)
  let step = 0
  const leaves: (() => void)[] = []
  leaves.push(
    observer.subscribe(({ data }) => {
      if (data === undefined || step > 3) return
      step++
      if (step === 1) void client.invalidateQueries(['a'])
      if (step === 2) void client.fetchQuery(options)
      if (step === 3) void client.removeQueries(['a'])
    }),
  )
  leaves.push(observer.subscribe(() => leaves.push(client.watch(options).subscribe(() => {}))))
  await clock.advance(1_000)
  for (const leave of leaves) leave()
  await clock.advance(1_000)
  const call = watched(client.fetchQuery(options))
  await clock.settle()
  expect(call.now.is).toBe('fulfilled')
})

test('the same function may subscribe twice and leave once; leaving twice is leaving once', () => {
  const { client } = createClient({ staleTime: 60_000 })
  client.setQueryData(['a'], 0)
  const observer = client.watch({ queryKey: ['a'], enabled: false })
  let calls = 0
  const listener = () => calls++
  const leave = observer.subscribe(listener)
  observer.subscribe(listener)
  leave()
  leave()
  client.setQueryData(['a'], 1)
  expect(calls).toBe(3)
})

test('listeners hear of changes of what they can see, and of no other', async () => {
  const { client } = createClient({ staleTime: 60_000 })
  client.setQueryData(['a'], 1)
  let calls = 0
  client.watch({ queryKey: ['a'], enabled: false }).subscribe(() => calls++)
  client.setQueryData(['b'], 1)
  client.setQueryData(['a', 'longer'], 1)
  client.setQueryData(['a'], 1)
  await client.fetchQuery({ queryKey: ['a'], queryFn: () => 1 })
  expect(calls).toBe(1)
})

test('ten thousand observers of one query all hear of a change and leave no trace', async () => {
  const { client, clock } = createClient({ staleTime: 60_000, gcTime: 1_000 })
  client.setQueryData(['a'], 0)
  let heard = 0
  const leaves = Array.from({ length: 10_000 }, () =>
    client.watch({ queryKey: ['a'], enabled: false }).subscribe(() => heard++),
  )
  heard = 0
  client.setQueryData(['a'], 1)
  expect(heard).toBe(10_000)
  for (const leave of leaves) leave()
  client.setQueryData(['a'], 2)
  expect(heard).toBe(10_000)
  await clock.advance(1_000)
  expect(client.cache.size).toBe(0)
})

test('an observer without a queryFn looks on without spoiling how the data is got', async () => {
  const { client, clock } = createClient({ staleTime: 60_000 })
  const queryFn = counting()
  await client.fetchQuery({ queryKey: ['a'], queryFn })
  const observer = client.watch({ queryKey: ['a'] })
  observer.subscribe(() => {})
  await client.invalidateQueries(['a'])
  await clock.settle()
  expect(observer.result).toMatchObject({ data: 2, status: 'success' })
})
