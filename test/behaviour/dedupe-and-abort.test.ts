import { expect, test } from 'vitest'
import { MemoryStorage } from '../../src/storages/memory/index.ts'
import { ChaosStorage } from '../../src/testing/index.ts'
import { createClient, fulfilled, Origin, watched } from './setting.ts'

const reason = new Error('the caller has left')

test('callers of one key share one fetch', async () => {
  const { client } = createClient()
  const origin = new Origin()
  const calls = Array.from({ length: 10_000 }, () =>
    client.fetchQuery({ queryKey: ['a', { b: 1, c: [2] }], queryFn: origin.queryFn }),
  )
  origin.last.answer('data')
  expect(new Set(await Promise.all(calls))).toEqual(new Set(['data']))
  expect(origin.calls).toHaveLength(1)
  expect(client.stats()).toMatchObject({ originCalls: 1, joins: 9_999 })
})

test('callers of one key share one failure', async () => {
  const { client } = createClient({ retry: false })
  const origin = new Origin()
  const calls = [1, 2, 3].map(() => watched(client.fetchQuery({ queryKey: ['a'], queryFn: origin.queryFn })))
  const error = new Error('down')
  origin.last.fail(error)
  await Promise.resolve().then(() => new Promise(setImmediate))
  expect(calls.map(({ now }) => now)).toEqual(Array(3).fill({ is: 'rejected', reason: error }))
  expect(origin.calls).toHaveLength(1)
})

test("a fetch that several callers joined is aborted by a caller's own signal only when the last waiter has left", async () => {
  const { client, clock } = createClient()
  const origin = new Origin()
  const controllers = [new AbortController(), new AbortController(), new AbortController()]
  const calls = controllers.map(({ signal }) =>
    watched(client.fetchQuery({ queryKey: ['a'], queryFn: origin.queryFn, signal })),
  )
  for (const [left, controller] of controllers.entries()) {
    expect(origin.last.abortReason).toBe(undefined)
    controller.abort(reason)
    await clock.settle()
    const outcomes = calls.map(({ now }) => now.is)
    expect(outcomes).toEqual(controllers.map((_, i) => (i <= left ? 'rejected' : 'pending')))
    expect(calls[left]?.now).toEqual({ is: 'rejected', reason })
  }
  expect(origin.last.abortReason).toMatchObject({ code: 'CANCELLED' })
  expect(client.getQueryState(['a'])).toMatchObject({ status: 'idle', fetchStatus: 'idle', error: null })
})

test('a caller without a signal keeps the fetch alive for good', async () => {
  const { client, clock } = createClient()
  const origin = new Origin()
  const controller = new AbortController()
  const patient = watched(client.fetchQuery({ queryKey: ['a'], queryFn: origin.queryFn }))
  const hasty = watched(
    client.fetchQuery({ queryKey: ['a'], queryFn: origin.queryFn, signal: controller.signal }),
  )
  controller.abort(reason)
  origin.last.answer('data')
  await clock.settle()
  expect([patient.now, hasty.now]).toEqual([fulfilled('data'), { is: 'rejected', reason }])
})

test("an observer's leaving never cancels a waiting fetchQuery", async () => {
  const { client, clock } = createClient()
  const origin = new Origin()
  const options = { queryKey: ['a'], queryFn: origin.queryFn }
  const leave = client.watch(options).subscribe(() => {})
  const call = watched(client.fetchQuery(options))
  await clock.settle()
  leave()
  expect(origin.last.abortReason).toBe(undefined)
  origin.last.answer('data')
  await clock.settle()
  expect(call.now).toEqual(fulfilled('data'))
})

test('a caller that leaves does not cancel a fetch that an observer wants', async () => {
  const { client, clock } = createClient()
  const origin = new Origin()
  const controller = new AbortController()
  const options = { queryKey: ['a'], queryFn: origin.queryFn }
  const call = watched(client.fetchQuery({ ...options, signal: controller.signal }))
  const observer = client.watch(options)
  observer.subscribe(() => {})
  controller.abort(reason)
  await clock.settle()
  expect([call.now.is, origin.last.abortReason]).toEqual(['rejected', undefined])
  origin.last.answer('data')
  await clock.settle()
  expect(observer.result.data).toBe('data')
})

test('a caller that leaves does not cancel a refresh behind served data', async () => {
  const { client, clock } = createClient()
  const origin = new Origin()
  client.setQueryData(['a'], 'old')
  await client.fetchQuery({ queryKey: ['a'], queryFn: origin.queryFn })
  const controller = new AbortController()
  const waiting = { queryKey: ['a'], queryFn: origin.queryFn, whenStale: 'wait' as const }
  const call = watched(client.fetchQuery({ ...waiting, signal: controller.signal }))
  await clock.settle()
  controller.abort(reason)
  await clock.settle()
  expect([call.now.is, origin.last.abortReason]).toEqual(['rejected', undefined])
  origin.last.answer('new')
  await clock.settle()
  expect(client.getQueryData(['a'])).toBe('new')
})

test('a signal that is aborted already rejects with its reason and calls nothing', async () => {
  const { client } = createClient({ staleTime: 1_000 })
  const origin = new Origin()
  client.setQueryData(['fresh'], 'data')
  const signal = AbortSignal.abort(reason)
  for (const queryKey of [['fresh'], ['absent']]) {
    await expect(client.fetchQuery({ queryKey, queryFn: origin.queryFn, signal })).rejects.toBe(reason)
  }
  expect(origin.calls).toHaveLength(0)
  expect(client.cache.has(['absent'])).toBe(false)
})

test('a signal aborted after the fetch has ended changes nothing', async () => {
  const { client } = createClient()
  const origin = new Origin()
  const controller = new AbortController()
  const call = client.fetchQuery({ queryKey: ['a'], queryFn: origin.queryFn, signal: controller.signal })
  origin.last.answer('data')
  expect(await call).toBe('data')
  controller.abort(reason)
  expect(client.getQueryState(['a'])).toMatchObject({ data: 'data', status: 'success' })
  expect(origin.last.abortReason).toBe(undefined)
})

test('one signal may serve any number of fetches without a warning of the platform', async () => {
  const { client, clock } = createClient()
  const warnings: Error[] = []
  const listen = (warning: Error) => warnings.push(warning)
  process.on('warning', listen)
  const origin = new Origin()
  const { signal } = new AbortController()
  const calls = Array.from({ length: 50 }, (_, i) =>
    client.fetchQuery({ queryKey: ['many', i], queryFn: origin.queryFn, signal }),
  )
  await clock.settle()
  for (const call of origin.calls) call.answer('data')
  await Promise.all(calls)
  process.off('warning', listen)
  expect(warnings).toEqual([])
})

test('a fetch that is aborted while L2 is asked never calls the origin', async () => {
  const clock = createClient().clock
  const storage = new ChaosStorage(new MemoryStorage({ clock }), { clock })
  storage.fault({ kind: 'delay', delay: 50 })
  const { client } = createClient({ clock, storage })
  const origin = new Origin()
  const controller = new AbortController()
  const call = watched(
    client.fetchQuery({ queryKey: ['a'], queryFn: origin.queryFn, signal: controller.signal }),
  )
  await clock.advance(10)
  controller.abort(reason)
  await clock.advance(1_000)
  expect(call.now).toEqual({ is: 'rejected', reason })
  expect(origin.calls).toHaveLength(0)
  expect(client.getQueryState(['a'])).toMatchObject({ status: 'idle', fetchStatus: 'idle' })
})

test('a fetch that is aborted between two attempts makes no other', async () => {
  const { client, clock } = createClient({ retry: 5, retryDelay: 1_000 })
  const controller = new AbortController()
  let calls = 0
  const call = watched(
    client.fetchQuery({
      queryKey: ['a'],
      signal: controller.signal,
      queryFn: () => {
        calls++
        throw new Error('down')
      },
    }),
  )
  await clock.advance(500)
  controller.abort(reason)
  await clock.advance(60_000)
  expect([call.now, calls]).toEqual([{ is: 'rejected', reason }, 1])
  expect(client.getQueryState(['a'])).toMatchObject({ fetchFailureCount: 0, fetchFailureReason: null })
})

test('after the last caller has left, the next one starts anew', async () => {
  const { client, clock } = createClient()
  const origin = new Origin()
  const controller = new AbortController()
  const options = { queryKey: ['a'], queryFn: origin.queryFn }
  void watched(client.fetchQuery({ ...options, signal: controller.signal }))
  controller.abort(reason)
  const call = watched(client.fetchQuery(options))
  await clock.settle()
  origin.calls[0]?.answer('too late')
  origin.calls[1]?.answer('data')
  await clock.settle()
  expect(call.now).toEqual(fulfilled('data'))
  expect(client.getQueryData(['a'])).toBe('data')
})
