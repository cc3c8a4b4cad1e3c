import { expect, test } from 'vitest'
import { counting, createClient, fulfilled, Origin, watched } from './setting.ts'

/** A bit over the 2 ** 31 - 1 milliseconds, 24.8 days, that a timer of the platform can wait. */
const LONG = 2 ** 31 + 5_000
const DAY = 86_400_000

test('durations beyond 2^31 ms work: gcTime', async () => {
  const { client, clock } = createClient({ gcTime: LONG })
  client.setQueryData(['a'], 1)
  await clock.advance(LONG - 1)
  expect(client.cache.has(['a'])).toBe(true)
  await clock.advance(1)
  expect(client.cache.has(['a'])).toBe(false)
})

test('durations beyond 2^31 ms work: staleTime, also where an observer waits for it', async () => {
  const { client, clock } = createClient({ staleTime: LONG, gcTime: Number.POSITIVE_INFINITY })
  const options = { queryKey: ['a'], queryFn: counting() }
  const seen: boolean[] = []
  client.watch(options).subscribe(({ isStale }) => seen.push(isStale))
  await clock.advance(LONG - 1)
  await client.fetchQuery(options)
  expect([seen, options.queryFn.calls]).toEqual([[true, false], 1])
  await clock.advance(1)
  expect(seen).toEqual([true, false, true])
})

test('durations beyond 2^31 ms work: refetchInterval, retryDelay and fetchTimeout', async () => {
  const { client, clock } = createClient({ gcTime: Number.POSITIVE_INFINITY })
  const queryFn = counting()
  client.watch({ queryKey: ['poll'], queryFn, refetchInterval: LONG }).subscribe(() => {})
  const origin = new Origin()
  const retried = watched(
    client.fetchQuery({
      queryKey: ['retry'],
      queryFn: origin.queryFn,
      retryDelay: LONG,
      fetchTimeout: 2 * LONG,
    }),
  )
  origin.last.fail(new Error('down'))
  const timed = watched(
    client.fetchQuery({ queryKey: ['timed'], queryFn: new Origin().queryFn, fetchTimeout: LONG }),
  )
  await clock.advance(LONG - 1)
  expect([queryFn.calls, origin.calls.length, timed.now.is]).toEqual([1, 1, 'pending'])
  await clock.advance(1)
  expect([queryFn.calls, origin.calls.length, timed.now.is]).toEqual([2, 2, 'rejected'])
  origin.last.answer('data')
  await clock.settle()
  expect(retried.now).toEqual(fulfilled('data'))
})

test('Infinity is a duration everywhere: nothing ages, expires, times out or is tried again', async () => {
  const never = Number.POSITIVE_INFINITY
  const { client, clock } = createClient({
    staleTime: never,
    gcTime: never,
    storageTtl: never,
    retryDelay: never,
  })
  const queryFn = counting()
  await client.fetchQuery({ queryKey: ['a'], queryFn, fetchTimeout: never })
  client.watch({ queryKey: ['a'], queryFn, refetchInterval: never }).subscribe(() => {})
  const failing = watched(
    client.fetchQuery({ queryKey: ['b'], queryFn: () => Promise.reject(new Error('down')) }),
  )
  await clock.advance(40_000 * DAY)
  await client.fetchQuery({ queryKey: ['a'], queryFn })
  expect([queryFn.calls, failing.now.is, clock.pendingTimers]).toEqual([1, 'pending', 0])
})

test('durations may be fractions', async () => {
  const { client, clock } = createClient({ staleTime: 0.5, gcTime: 10.25 })
  const options = { queryKey: ['a'], queryFn: counting() }
  await client.fetchQuery(options)
  await client.fetchQuery(options)
  expect(options.queryFn.calls).toBe(1)
  await clock.advance(11)
  expect(client.cache.size).toBe(0)
})

test('a step of the clock forward or back breaks nothing', async () => {
  const { clock } = createClient()
  const skewed = { ...clock.skewed(0), monotonic: () => clock.now() }
  let skew = 0
  const { client } = createClient({
    clock: { ...skewed, now: () => clock.now() + skew },
    staleTime: 1_000,
    gcTime: 10_000,
  })
  const seen: boolean[] = []
  const options = { queryKey: ['a'], queryFn: counting() }
  client.watch(options).subscribe(({ isStale }) => seen.push(isStale))
  client.setQueryData(['idle'], 1)
  await clock.settle()
  skew = -5_000
  await clock.advance(1_000)
  expect(seen).toEqual([true, false])
  await clock.advance(5_000)
  expect(seen).toEqual([true, false, true])
  skew = 365 * DAY
  await clock.advance(10_000)
  expect(client.cache.find().map(({ queryKey }) => queryKey)).toEqual([['a']])
  await client.fetchQuery(options)
  await clock.settle()
  expect(client.getQueryState(['a'])).toMatchObject({ data: 2, isStale: false })
})
