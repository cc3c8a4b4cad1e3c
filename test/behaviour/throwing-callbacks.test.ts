import { expect, test } from 'vitest'
import type { Logger } from '../../src/index.ts'
import { counting, createClient, fulfilled, watched } from './setting.ts'

const boom = (): never => {
  throw new Error('callback')
}
const reject = () => Promise.reject(new Error('callback'))

test.each([
  ['throws', boom],
  ['rejects', reject],
])('an onSuccess or onSettled that %s changes nothing and is logged', async (_, broken) => {
  const { client, clock, log } = createClient({ staleTime: 60_000 })
  const options = { queryKey: ['a'], queryFn: () => 'data', onSuccess: broken, onSettled: broken }
  const calls = [watched(client.fetchQuery(options)), watched(client.fetchQuery(options))]
  await clock.settle()
  expect(calls.map(({ now }) => now)).toEqual([fulfilled('data'), fulfilled('data')])
  expect(client.getQueryState(['a'])).toMatchObject({ status: 'success', data: 'data' })
  expect(log.messages.map((message) => message.split(' ')[1])).toEqual(['onSuccess', 'onSettled'])
})

test.each([
  ['throws', boom],
  ['rejects', reject],
])('an onError or onSettled that %s changes nothing and is logged', async (_, broken) => {
  const { client, clock, log } = createClient({ retry: false })
  const down = new Error('down')
  const queryFn = () => Promise.reject(down)
  const options = { queryKey: ['a'], queryFn, onError: broken, onSettled: broken }
  const call = watched(client.fetchQuery(options))
  await clock.settle()
  expect(call.now).toEqual({ is: 'rejected', reason: down })
  expect(client.getQueryState(['a'])).toMatchObject({ status: 'error', error: down })
  expect(log.messages.map((message) => message.split(' ')[1])).toEqual(['onError', 'onSettled'])
})

test('every callback of one fetch may be broken at once, in the background, too', async () => {
  const { client, clock } = createClient()
  const broken = {
    retry: boom,
    retryDelay: boom,
    onSuccess: boom,
    onError: boom,
    onSettled: boom,
    initialData: boom,
    placeholderData: boom,
    select: boom,
    refetchInterval: boom,
  }
  for (const queryFn of [() => 'data', boom]) {
    const observer = client.watch<string>({ queryKey: ['a'], queryFn, ...broken })
    observer.subscribe(boom)
    const call = watched(client.fetchQuery<string>({ queryKey: ['a'], queryFn, ...broken }))
    await clock.advance(1_000)
    expect(call.now.is).not.toBe('pending')
    expect(client.getQueryState(['a'])?.fetchStatus).toBe('idle')
    await client.removeQueries()
  }
})

test.each<[string, Logger]>([
  ['throws', { warn: boom, error: boom, info: boom }],
  ['rejects', { warn: reject, error: reject, info: reject }],
])('a logger that %s changes nothing', async (_, logger) => {
  const { client, clock } = createClient({ logger, retry: false })
  client.setQueryData(['a'], 'old')
  const options = { queryKey: ['a'], queryFn: reject, onError: boom }
  expect(await client.fetchQuery(options)).toBe('old')
  await clock.settle()
  expect(client.getQueryState(['a'])).toMatchObject({ data: 'old', isError: true })
  await client.prefetchQuery({ queryKey: ['b'], queryFn: reject })
})

test('callbacks may use the client: fetch, set, invalidate, remove, cancel and reset their own query', async () => {
  const { client, clock } = createClient({ staleTime: 60_000 })
  const queryFn = counting()
  const key = ['a']
  const ways: Record<string, () => unknown> = {
    fetch: () => client.fetchQuery({ queryKey: key, queryFn }),
    set: () => client.setQueryData(key, 'set'),
    invalidate: () => client.invalidateQueries(key),
    remove: () => client.removeQueries(key),
    cancel: () => client.cancelQueries(key),
    reset: () => client.resetQueries(key),
    refetch: () => client.refetchQueries(key),
  }
  for (const [name, use] of Object.entries(ways)) {
    await client.removeQueries()
    let uses = 0
    const twice = () => (uses++ < 2 ? use() : undefined)
    const call = watched(
      client.fetchQuery<unknown>({ queryKey: key, queryFn, onSuccess: twice, onSettled: twice }),
    )
    await clock.advance(100)
    expect([name, call.now.is]).toEqual([name, 'fulfilled'])
    expect([name, client.getQueryState(key)?.isFetching ?? false]).toEqual([name, false])
  }
})
