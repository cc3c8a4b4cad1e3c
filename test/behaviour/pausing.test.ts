import { expect, test } from 'vitest'
import { counting, createClient, fulfilled, Origin, watched } from './setting.ts'

/** A query that L1 knows and has no data for: only known queries can be paused. */
async function pausedWithoutData(config: Parameters<typeof createClient>[0] = {}) {
  const setting = createClient(config)
  const { client } = setting
  await client
    .fetchQuery({ queryKey: ['a'], queryFn: () => Promise.reject(new Error('x')), retry: 0 })
    .catch(() => {})
  client.pauseQueries(['a'])
  return setting
}

test('a paused query with data serves it and is not refreshed, nor afterwards for that call', async () => {
  const { client, clock } = createClient()
  const queryFn = counting()
  client.setQueryData(['a'], 0)
  client.pauseQueries(['a'])
  expect(await client.fetchQuery({ queryKey: ['a'], queryFn })).toBe(0)
  await clock.settle()
  expect(queryFn.calls).toBe(0)
  expect(client.getQueryState(['a'])).toMatchObject({
    fetchStatus: 'paused',
    isPaused: true,
    status: 'success',
  })
  client.resumeQueries(['a'])
  await clock.settle()
  expect(queryFn.calls).toBe(0)
})

test('a paused query without data waits until it is resumed', async () => {
  const { client, clock } = await pausedWithoutData()
  const origin = new Origin()
  const call = watched(client.fetchQuery({ queryKey: ['a'], queryFn: origin.queryFn }))
  await clock.advance(60_000)
  expect([call.now.is, origin.calls.length]).toEqual(['pending', 0])
  expect(client.getQueryState(['a'])).toMatchObject({ isPaused: true, isPending: true, isFetching: false })
  client.resumeQueries(['a'])
  expect(client.getQueryState(['a'])).toMatchObject({ isPaused: false })
  await clock.settle()
  origin.last.answer('data')
  await clock.settle()
  expect(call.now).toEqual(fulfilled('data'))
})

test('pausing lets a call that runs finish', async () => {
  const { client, clock } = createClient()
  const origin = new Origin()
  const call = watched(client.fetchQuery({ queryKey: ['a'], queryFn: origin.queryFn }))
  client.pauseQueries(['a'])
  origin.last.answer('data')
  await clock.settle()
  expect(call.now).toEqual(fulfilled('data'))
})

test('pausing holds back the next attempt', async () => {
  const { client, clock } = createClient({ retryDelay: 10 })
  const origin = new Origin()
  const call = watched(client.fetchQuery({ queryKey: ['a'], queryFn: origin.queryFn }))
  origin.last.fail(new Error('down'))
  client.pauseQueries(['a'])
  await clock.advance(10_000)
  expect(origin.calls).toHaveLength(1)
  expect(client.getQueryState(['a'])).toMatchObject({ isPaused: true, fetchFailureCount: 1 })
  client.resumeQueries(['a'])
  await clock.settle()
  origin.last.answer('data')
  await clock.settle()
  expect(call.now).toEqual(fulfilled('data'))
  expect(origin.calls).toHaveLength(2)
})

test('pausing again before a resumed fetch has gone on keeps it back', async () => {
  const { client, clock } = await pausedWithoutData()
  const origin = new Origin()
  void watched(client.fetchQuery({ queryKey: ['a'], queryFn: origin.queryFn }))
  await clock.settle()
  client.resumeQueries(['a'])
  client.pauseQueries(['a'])
  await clock.settle()
  expect(origin.calls).toHaveLength(0)
  client.resumeQueries(['a'])
  await clock.settle()
  expect(origin.calls).toHaveLength(1)
})

test('resuming fetches observed queries again where refetch is true, and only then', async () => {
  const { client, clock } = createClient({ staleTime: 60_000 })
  const queryFn = counting()
  client.watch({ queryKey: ['a'], queryFn }).subscribe(() => {})
  await clock.settle()
  client.pauseQueries()
  client.resumeQueries()
  await clock.settle()
  expect(queryFn.calls).toBe(1)
  client.pauseQueries()
  client.resumeQueries(['a'], { refetch: true })
  await clock.settle()
  expect(queryFn.calls).toBe(2)
  client.resumeQueries(['a'], { refetch: true })
  await clock.settle()
  expect(queryFn.calls).toBe(2)
})

test('listeners are told of pause and resume', () => {
  const { client } = createClient({ staleTime: 60_000 })
  client.setQueryData(['a'], 1)
  const seen: string[] = []
  client.watch({ queryKey: ['a'], queryFn: () => 1 }).subscribe(({ fetchStatus }) => seen.push(fetchStatus))
  client.pauseQueries(['a'])
  client.pauseQueries(['a'])
  client.resumeQueries(['a'])
  expect(seen).toEqual(['idle', 'paused', 'idle'])
})

test('invalidating a paused query with an observer fetches nothing until it is resumed with refetch', async () => {
  const { client, clock } = createClient({ staleTime: 60_000 })
  const queryFn = counting()
  client.watch({ queryKey: ['a'], queryFn }).subscribe(() => {})
  await clock.settle()
  client.pauseQueries(['a'])
  await client.invalidateQueries(['a'])
  await client.refetchQueries(['a'])
  await clock.settle()
  expect(queryFn.calls).toBe(1)
  client.resumeQueries(['a'], { refetch: true })
  await clock.settle()
  expect(queryFn.calls).toBe(2)
})

test('a caller that waits in a paused query may leave', async () => {
  const { client, clock } = await pausedWithoutData()
  const origin = new Origin()
  const controller = new AbortController()
  const { signal } = controller
  const call = watched(client.fetchQuery({ queryKey: ['a'], queryFn: origin.queryFn, signal }))
  await clock.settle()
  controller.abort(new Error('left'))
  await clock.settle()
  expect(call.now).toMatchObject({ is: 'rejected', reason: { message: 'left' } })
  client.resumeQueries(['a'])
  await clock.settle()
  expect(origin.calls).toHaveLength(0)
})

test('removing a paused query lets its waiters go on: the pause has left with it', async () => {
  const { client, clock } = await pausedWithoutData()
  const origin = new Origin()
  const options = { queryKey: ['a'], queryFn: origin.queryFn }
  const before = watched(client.fetchQuery(options))
  await clock.settle()
  await client.removeQueries(['a'])
  const after = watched(client.fetchQuery(options))
  await clock.settle()
  origin.last.answer('old')
  await clock.settle()
  origin.last.answer('new')
  await clock.settle()
  expect([before.now, after.now]).toEqual([fulfilled('old'), fulfilled('new')])
})

test('resuming wakes a fetch that an invalidation has overtaken while it was paused', async () => {
  const { client, clock } = createClient({ retryDelay: 10 })
  const origin = new Origin()
  const options = { queryKey: ['a'], queryFn: origin.queryFn }
  const before = watched(client.fetchQuery(options))
  origin.last.fail(new Error('down'))
  client.pauseQueries(['a'])
  await clock.advance(10)
  await client.invalidateQueries(['a'])
  const after = watched(client.fetchQuery(options))
  client.resumeQueries(['a'])
  await clock.settle()
  origin.last.answer('old')
  await clock.settle()
  origin.last.answer('new')
  await clock.settle()
  expect([before.now, after.now]).toEqual([fulfilled('old'), fulfilled('new')])
})

test('pausing holds back polling', async () => {
  const { client, clock } = createClient()
  const queryFn = counting()
  client.watch({ queryKey: ['a'], queryFn, refetchInterval: 100 }).subscribe(() => {})
  await clock.advance(250)
  expect(queryFn.calls).toBe(3)
  client.pauseQueries(['a'])
  await clock.advance(1_000)
  expect(queryFn.calls).toBe(3)
  client.resumeQueries(['a'])
  await clock.advance(100)
  expect(queryFn.calls).toBe(4)
})

test('pausing concerns the queries that L1 knows', async () => {
  const { client } = createClient()
  client.pauseQueries()
  expect(await client.fetchQuery({ queryKey: ['unknown'], queryFn: () => 1 })).toBe(1)
})
