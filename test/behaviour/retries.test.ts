import { expect, test } from 'vitest'
import { createClient, fulfilled, Origin, watched } from './setting.ts'

const down = new Error('down')
const failing = () => Promise.reject(down)

test('a failed fetch is tried again three times, after 1, 2 and 4 seconds, unless told otherwise', async () => {
  const { client, clock } = createClient()
  const start = clock.now()
  const at: number[] = []
  const queryFn = () => {
    at.push(clock.now() - start)
    return failing()
  }
  const call = watched(client.fetchQuery({ queryKey: ['a'], queryFn }))
  await clock.advance(60_000)
  expect(at).toEqual([0, 1_000, 3_000, 7_000])
  expect(call.now).toEqual({ is: 'rejected', reason: down })
})

test('the state shows the failures of a fetch that goes on, and none after it has succeeded', async () => {
  const { client, clock } = createClient({ retryDelay: 10 })
  const origin = new Origin()
  const call = watched(client.fetchQuery({ queryKey: ['a'], queryFn: origin.queryFn }))
  origin.last.fail(down)
  await clock.settle()
  expect(client.getQueryState(['a'])).toMatchObject({
    status: 'pending',
    isFetching: true,
    isLoading: true,
    error: null,
    fetchFailureCount: 1,
    fetchFailureReason: down,
  })
  await clock.advance(10)
  origin.last.answer('data')
  await clock.settle()
  expect(call.now).toEqual(fulfilled('data'))
  expect(client.getQueryState(['a'])).toMatchObject({ fetchFailureCount: 0, fetchFailureReason: null })
})

test('retry is told of the earlier failures, 0 first, and of the error', async () => {
  const { client, clock } = createClient({ retryDelay: 0 })
  const told: unknown[] = []
  const retry = (failureCount: number, error: Error) => {
    told.push([failureCount, error])
    return failureCount < 2
  }
  void watched(client.fetchQuery({ queryKey: ['a'], queryFn: failing, retry }))
  await clock.advance(0)
  await clock.advance(0)
  expect(told).toEqual([
    [0, down],
    [1, down],
    [2, down],
  ])
})

test('retryDelay is told of the attempt, from 0, and of the error', async () => {
  const { client, clock } = createClient({ retry: 2 })
  const told: unknown[] = []
  const retryDelay = (attempt: number, error: Error) => {
    told.push([attempt, error])
    return 5
  }
  void watched(client.fetchQuery({ queryKey: ['a'], queryFn: failing, retryDelay }))
  await clock.advance(10)
  expect(told).toEqual([
    [0, down],
    [1, down],
  ])
})

test.each([
  ['0', 0, 1],
  ['false', false, 1],
  ['1', 1, 2],
])('retry %s makes as many attempts as it says', async (_, retry, attempts) => {
  const { client, clock } = createClient({ retryDelay: 1 })
  let calls = 0
  const queryFn = () => {
    calls++
    return failing()
  }
  const call = watched(client.fetchQuery({ queryKey: ['a'], queryFn, retry }))
  await clock.advance(100)
  expect([calls, call.now.is]).toEqual([attempts, 'rejected'])
})

test.each([[true], [Number.POSITIVE_INFINITY]])(
  'retry %s goes on until the origin answers',
  async (retry) => {
    const { client, clock } = createClient({ retryDelay: 1 })
    let calls = 0
    const queryFn = () => (++calls < 500 ? failing() : 'data')
    const call = watched(client.fetchQuery({ queryKey: ['a'], queryFn, retry }))
    await clock.advance(498)
    expect(call.now.is).toBe('pending')
    await clock.advance(1)
    expect(call.now).toEqual(fulfilled('data'))
  },
)

const boom = () => {
  throw new Error('the policy is broken')
}
test.each([
  ['retry', { retry: boom }],
  ['retryDelay', { retryDelay: boom }],
])('a %s that throws settles the fetch with the error of its attempt', async (_, policy) => {
  const { client, clock, log } = createClient()
  const call = watched(client.fetchQuery({ queryKey: ['a'], queryFn: failing, ...policy }))
  await clock.settle()
  expect(call.now).toEqual({ is: 'rejected', reason: down })
  expect(client.getQueryState(['a'])).toMatchObject({ status: 'error', error: down, isFetching: false })
  expect(log.lines[0]).toMatchObject({ level: 'error', details: [new Error('the policy is broken')] })
})

test.each([[-1], [Number.NaN], ['10'], [undefined], [null]])(
  'a retryDelay that returns %s settles the fetch and is logged',
  async (delay) => {
    const { client, clock, log } = createClient()
    const call = watched(
      client.fetchQuery({ queryKey: ['a'], queryFn: failing, retryDelay: () => delay as number }),
    )
    await clock.advance(100_000)
    expect(call.now).toEqual({ is: 'rejected', reason: down })
    expect(log.messages[0]).toContain(`retryDelay returned ${String(delay)}`)
  },
)

test('UNDEFINED_DATA and MISSING_QUERY_FN are not retried, not even where retry says so', async () => {
  const { client, clock } = createClient({ retry: () => true, retryDelay: 1 })
  let calls = 0
  const queryFn = () => {
    calls++
  }
  const calledOnce = watched(client.fetchQuery({ queryKey: ['a'], queryFn: queryFn as never }))
  const neverCalled = watched(client.fetchQuery({ queryKey: ['b'] }))
  await clock.advance(100)
  expect(calls).toBe(1)
  expect(calledOnce.now).toMatchObject({ reason: { code: 'UNDEFINED_DATA' } })
  expect(neverCalled.now).toMatchObject({ reason: { code: 'MISSING_QUERY_FN' } })
})

test('a later failure is the one that callers hear of', async () => {
  const { client, clock } = createClient({ retry: 1, retryDelay: 1 })
  const origin = new Origin()
  const call = watched(client.fetchQuery({ queryKey: ['a'], queryFn: origin.queryFn }))
  origin.last.fail(new Error('first'))
  await clock.advance(1)
  origin.last.fail(down)
  await clock.settle()
  expect(call.now).toEqual({ is: 'rejected', reason: down })
})

test('data that is set between two attempts is served to new callers at once', async () => {
  const { client, clock } = createClient({ retryDelay: 1_000, staleTime: 60_000 })
  void watched(client.fetchQuery({ queryKey: ['a'], queryFn: failing }))
  await clock.advance(10)
  client.setQueryData(['a'], 'manual')
  const call = watched(client.fetchQuery<string>({ queryKey: ['a'], queryFn: failing }))
  await clock.settle()
  expect(call.now).toEqual(fulfilled('manual'))
})
