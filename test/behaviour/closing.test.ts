import { expect, test } from 'vitest'
import { MemoryStorage } from '../../src/storages/memory/index.ts'
import { ChaosStorage } from '../../src/testing/index.ts'
import { counting, createClient, Origin, watched } from './setting.ts'

const closed = { code: 'CLIENT_CLOSED' }

test('after close() fetches reject with CLIENT_CLOSED', async () => {
  const { client, clock } = createClient({ staleTime: 60_000 })
  const queryFn = counting()
  await client.fetchQuery({ queryKey: ['a'], queryFn })
  const closing = client.close()
  await expect(client.fetchQuery({ queryKey: ['a'], queryFn })).rejects.toMatchObject(closed)
  await closing
  await expect(client.fetchQuery({ queryKey: ['b'], queryFn })).rejects.toMatchObject(closed)
  client.setQueryData(['c'], 1)
  await expect(client.fetchQuery({ queryKey: ['c'], queryFn })).rejects.toMatchObject(closed)
  await client.prefetchQuery({ queryKey: ['b'], queryFn })
  await client.refetchQueries()
  await client.invalidateQueries()
  await client.resetQueries()
  await clock.settle()
  expect(queryFn.calls).toBe(1)
})

test('close cancels what runs, what was overtaken included', async () => {
  const { client, clock } = createClient({ retryDelay: 1_000 })
  const origin = new Origin()
  const options = { queryFn: origin.queryFn }
  const running = watched(client.fetchQuery({ queryKey: ['a'], ...options }))
  const overtaken = watched(client.fetchQuery({ queryKey: ['b'], ...options }))
  await client.invalidateQueries(['b'])
  const between = watched(client.fetchQuery({ queryKey: ['c'], ...options }))
  origin.last.fail(new Error('down'))
  await clock.settle()
  await client.removeQueries(['c'])
  await client.close()
  await clock.settle()
  for (const { now } of [running, overtaken, between]) {
    expect(now).toMatchObject({ is: 'rejected', reason: { code: 'CANCELLED' } })
  }
  expect(origin.calls[0]?.abortReason).toMatchObject({ code: 'CANCELLED' })
  expect(origin.calls[1]?.abortReason).toMatchObject({ code: 'CANCELLED' })
})

test('close leaves no timer', async () => {
  const { client, clock } = createClient({ storage: new MemoryStorage(), staleTime: 50 })
  client.watch({ queryKey: ['a'], queryFn: counting(), refetchInterval: 100 }).subscribe(() => {})
  await clock.settle()
  expect(clock.pendingTimers).toBe(1)
  await client.close()
  expect(clock.pendingTimers).toBe(0)
})

test('close may be called again, and is what asyncDispose does', async () => {
  const { client } = createClient()
  const first = client.close()
  expect(client.close()).toBe(first)
  expect(client[Symbol.asyncDispose]()).toBe(first)
  await first
})

test('observers of a closed client show nothing, poll no more and never reject', async () => {
  const { client, clock } = createClient()
  const queryFn = counting()
  const observer = client.watch({ queryKey: ['a'], queryFn, refetchInterval: 100 })
  observer.subscribe(() => {})
  await clock.settle()
  const closing = client.close()
  await clock.advance(1_000)
  await closing
  expect(observer.result).toMatchObject({ status: 'idle', data: undefined })
  await expect(observer.refetch()).resolves.toMatchObject({ data: undefined })
  client.watch({ queryKey: ['b'], queryFn }).subscribe(() => {})
  await clock.settle()
  expect(queryFn.calls).toBe(1)
})

test('a listener, a queryFn or a callback may close the client', async () => {
  for (const where of ['listener', 'queryFn', 'onSuccess'] as const) {
    const { client, clock } = createClient()
    const close = () => void client.close()
    client.watch({ queryKey: ['a'], enabled: false }).subscribe(({ isFetching }) => {
      if (where === 'listener' && isFetching) close()
    })
    const queryFn = () => {
      if (where === 'queryFn') close()
      return 'data'
    }
    const onSuccess = where === 'onSuccess' ? close : undefined
    const call = watched(client.fetchQuery({ queryKey: ['a'], queryFn, onSuccess }))
    await clock.settle()
    expect(call.now.is).toBe(where === 'onSuccess' ? 'fulfilled' : 'rejected')
    expect(client.getQueryData(['a'])).toBe(undefined)
  }
})

test('what waits for a hung L2 when the client is closed is let go', async () => {
  const { clock } = createClient()
  const storage = new ChaosStorage(new MemoryStorage({ clock }), { clock })
  const { client } = createClient({ clock, storage })
  storage.fault({ kind: 'hang' }, { operations: ['get', 'getMany'] })
  const read = watched(client.getQueryDataAsync(['a']))
  const fetch = watched(client.fetchQuery({ queryKey: ['b'], queryFn: () => 1 }))
  const invalidation = watched(client.invalidateQueries(['c']))
  await clock.advance(10)
  const closing = watched(client.close({ timeout: 100 }))
  await clock.advance(10_000)
  expect([closing.now.is, read.now.is, fetch.now.is, invalidation.now.is]).toEqual([
    'fulfilled',
    'fulfilled',
    'rejected',
    'fulfilled',
  ])
})

test('close reports what L2 has not taken', async () => {
  const { clock } = createClient()
  const storage = new ChaosStorage(new MemoryStorage({ clock }), { clock })
  const { client, log } = createClient({ clock, storage })
  storage.fault({ kind: 'reject' })
  client.setQueryData(['a'], 1)
  await clock.advance(5_000)
  const closing = watched(client.close({ timeout: 100 }))
  await clock.advance(5_000)
  expect(closing.now.is).toBe('fulfilled')
  expect(log.messages.filter((message) => /Closed with \d+ writes/.test(message))).toHaveLength(1)
})
