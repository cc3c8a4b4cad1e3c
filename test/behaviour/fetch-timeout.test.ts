import { expect, test } from 'vitest'
import { MemoryStorage } from '../../src/storages/memory/index.ts'
import { ChaosStorage } from '../../src/testing/index.ts'
import { createClient, fulfilled, Origin, watched } from './setting.ts'

const timedOut = { is: 'rejected', reason: { code: 'FETCH_TIMEOUT' } }

test('past fetchTimeout a fetch is aborted, fails and frees its key', async () => {
  const { client, clock } = createClient({ retry: 3 })
  const origin = new Origin()
  const options = { queryKey: ['a'], queryFn: origin.queryFn, fetchTimeout: 100 }
  const call = watched(client.fetchQuery(options))
  await clock.advance(99)
  expect(call.now.is).toBe('pending')
  await clock.advance(1)
  expect(call.now).toMatchObject(timedOut)
  expect(origin.last.abortReason).toMatchObject({ code: 'FETCH_TIMEOUT' })
  expect(client.getQueryState(['a'])).toMatchObject({
    status: 'error',
    isFetching: false,
    error: { code: 'FETCH_TIMEOUT', message: expect.stringMatching(/\["a"\].*100 ms/) },
  })
  const next = watched(client.fetchQuery(options))
  origin.calls[0]?.answer('too late')
  origin.last.answer('data')
  await clock.settle()
  expect(next.now).toEqual(fulfilled('data'))
  expect(client.getQueryData(['a'])).toBe('data')
})

test('fetchTimeout covers all attempts and the pauses between them', async () => {
  const { client, clock } = createClient({ retry: true, retryDelay: 40 })
  let calls = 0
  const queryFn = () => {
    calls++
    return Promise.reject(new Error('down'))
  }
  const call = watched(client.fetchQuery({ queryKey: ['a'], queryFn, fetchTimeout: 100 }))
  await clock.advance(1_000)
  expect(call.now).toMatchObject(timedOut)
  expect(calls).toBe(3)
})

test('fetchTimeout covers the time in which L2 is asked', async () => {
  const { clock } = createClient()
  const storage = new ChaosStorage(new MemoryStorage({ clock }), { clock })
  storage.fault({ kind: 'hang' })
  const { client } = createClient({ clock, storage, storageTimeout: 250 })
  const origin = new Origin()
  const call = watched(client.fetchQuery({ queryKey: ['a'], queryFn: origin.queryFn, fetchTimeout: 100 }))
  await clock.advance(100)
  expect(call.now).toMatchObject(timedOut)
  await clock.advance(1_000)
  expect(origin.calls).toHaveLength(0)
})

test('fetchTimeout runs while the query is paused', async () => {
  const { client, clock } = createClient()
  const origin = new Origin()
  client.setQueryData(['a'], 'old')
  client.pauseQueries(['a'])
  const call = watched(
    client.fetchQuery({ queryKey: ['a'], queryFn: origin.queryFn, fetchTimeout: 100, whenStale: 'wait' }),
  )
  await clock.advance(100)
  expect(call.now).toMatchObject(timedOut)
  client.resumeQueries(['a'])
  await clock.settle()
  expect(origin.calls).toHaveLength(0)
})

test('fetchTimeout runs while an overtaken call of the key is waited for', async () => {
  const { client, clock } = createClient()
  const origin = new Origin()
  const first = watched(client.fetchQuery({ queryKey: ['a'], queryFn: origin.queryFn }))
  await client.invalidateQueries(['a'])
  const second = watched(client.fetchQuery({ queryKey: ['a'], queryFn: origin.queryFn, fetchTimeout: 100 }))
  await clock.advance(100)
  expect(second.now).toMatchObject(timedOut)
  origin.last.answer('data')
  await clock.settle()
  expect(first.now).toEqual(fulfilled('data'))
  expect(origin.calls).toHaveLength(1)
})

test('an overtaken call that hangs blocks its key for its own fetchTimeout at most', async () => {
  const { client, clock } = createClient()
  const origin = new Origin()
  const options = { queryKey: ['a'], queryFn: origin.queryFn, fetchTimeout: 100 }
  const first = watched(client.fetchQuery(options))
  await clock.advance(10)
  await client.invalidateQueries(['a'])
  const second = watched(client.fetchQuery({ queryKey: ['a'], queryFn: origin.queryFn }))
  await clock.advance(90)
  expect(first.now).toMatchObject(timedOut)
  expect(origin.calls).toHaveLength(2)
  origin.last.answer('data')
  await clock.settle()
  expect(second.now).toEqual(fulfilled('data'))
})

test('an aborted call that ignores its signal blocks its key for its fetchTimeout at most', async () => {
  const { client, clock } = createClient()
  const origin = new Origin()
  client.setQueryData(['a'], 'old')
  await client.fetchQuery({ queryKey: ['a'], queryFn: origin.queryFn, fetchTimeout: 100 })
  await clock.settle()
  await client.invalidateQueries(['a'])
  expect(origin.last.abortReason).toMatchObject({ code: 'CANCELLED' })
  const next = watched(client.fetchQuery({ queryKey: ['a'], queryFn: origin.queryFn, whenStale: 'wait' }))
  await clock.advance(99)
  expect(origin.calls).toHaveLength(1)
  await clock.advance(1)
  expect(origin.calls).toHaveLength(2)
  origin.last.answer('data')
  await clock.settle()
  expect(next.now).toEqual(fulfilled('data'))
})

test('a background refresh that times out is logged and leaves the data', async () => {
  const { client, clock, log } = createClient()
  const origin = new Origin()
  client.setQueryData(['a'], 'old')
  await client.fetchQuery({ queryKey: ['a'], queryFn: origin.queryFn, fetchTimeout: 100 })
  await clock.advance(100)
  expect(client.getQueryState(['a'])).toMatchObject({ data: 'old', error: { code: 'FETCH_TIMEOUT' } })
  expect(log.lines[0]).toMatchObject({ level: 'warn', details: [{ code: 'FETCH_TIMEOUT' }] })
})

test('a fetch that ends in time leaves no timer behind', async () => {
  const { client, clock } = createClient({ gcTime: Number.POSITIVE_INFINITY })
  await client.fetchQuery({ queryKey: ['a'], queryFn: () => 1, fetchTimeout: 100 })
  await clock.advance(100)
  expect(clock.pendingTimers).toBe(0)
  expect(client.getQueryState(['a'])).toMatchObject({ status: 'success' })
})

test('a queryFn that waits for its own key is freed by fetchTimeout', async () => {
  const { client, clock } = createClient()
  let depth = 0
  const options = {
    queryKey: ['self'],
    fetchTimeout: 100,
    retry: false,
    queryFn: async (): Promise<number> => {
      depth++
      if (depth > 1) return depth
      await client.invalidateQueries(['self'])
      return client.fetchQuery<number>(options)
    },
  }
  const call = watched(client.fetchQuery<number>(options))
  await clock.advance(100)
  expect(call.now).toMatchObject(timedOut)
  await clock.advance(100)
  const after = watched(client.fetchQuery<number>(options))
  await clock.advance(100)
  expect(after.now.is).toBe('fulfilled')
})
