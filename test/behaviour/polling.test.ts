import { expect, test } from 'vitest'
import { counting, createClient, Origin } from './setting.ts'

test('refetchInterval asks the origin again and again while somebody subscribes', async () => {
  const { client, clock } = createClient({ staleTime: Number.POSITIVE_INFINITY })
  const queryFn = counting()
  const observer = client.watch({ queryKey: ['a'], queryFn, refetchInterval: 100 })
  await clock.advance(1_000)
  expect(queryFn.calls).toBe(0)
  const leave = observer.subscribe(() => {})
  await clock.advance(99)
  expect(queryFn.calls).toBe(1)
  await clock.advance(401)
  expect([queryFn.calls, observer.result.data]).toEqual([6, 6])
  leave()
  await clock.advance(1_000)
  expect(queryFn.calls).toBe(6)
})

test('refetchInterval false means not at all', async () => {
  const { client, clock } = createClient()
  const queryFn = counting()
  client.watch({ queryKey: ['a'], queryFn, refetchInterval: false }).subscribe(() => {})
  await clock.advance(60_000)
  expect(queryFn.calls).toBe(1)
})

test('refetchInterval may be a function of the state', async () => {
  const { client, clock } = createClient()
  const queryFn = counting()
  client
    .watch<number>({
      queryKey: ['a'],
      queryFn,
      refetchInterval: ({ data }) => (data !== undefined && data >= 3 ? false : 100),
    })
    .subscribe(() => {})
  await clock.advance(60_000)
  expect(queryFn.calls).toBe(3)
})

test('a refetchInterval function is asked again when the state changes: polling may begin late and begin again', async () => {
  const { client, clock } = createClient()
  const queryFn = counting()
  client
    .watch<number>({
      queryKey: ['a'],
      queryFn,
      refetchInterval: ({ data }) => (data === undefined || data >= 3 ? false : 100),
    })
    .subscribe(() => {})
  await clock.advance(60_000)
  expect(queryFn.calls).toBe(3)
  client.setQueryData(['a'], 0)
  await clock.advance(100)
  expect(queryFn.calls).toBe(4)
  await clock.advance(60_000)
  expect(queryFn.calls).toBe(4)
})

test('a refetchInterval function that always gives the same does not put polling off', async () => {
  const { client, clock } = createClient()
  const queryFn = counting()
  client.watch({ queryKey: ['a'], queryFn, refetchInterval: () => 100 }).subscribe(() => {})
  await clock.advance(50)
  client.setQueryData(['a'], 10)
  await clock.advance(50)
  expect(queryFn.calls).toBe(2)
})

test('a refetchInterval function that throws means off, and is logged', async () => {
  const { client, clock, log } = createClient()
  const queryFn = counting()
  const refetchInterval = () => {
    throw new Error('no interval')
  }
  client.watch({ queryKey: ['a'], queryFn, refetchInterval }).subscribe(() => {})
  await clock.advance(60_000)
  expect(queryFn.calls).toBe(1)
  expect(log.messages[0]).toContain('refetchInterval threw')
})

test.each([[0], [-1], [Number.NaN], ['100'], [undefined]])(
  'a refetchInterval function that gives %s means off',
  async (interval) => {
    const { client, clock } = createClient()
    const queryFn = counting()
    const refetchInterval = () => interval as number
    client.watch({ queryKey: ['a'], queryFn, refetchInterval }).subscribe(() => {})
    await clock.advance(60_000)
    expect(queryFn.calls).toBe(1)
  },
)

test('polling goes on after a failure', async () => {
  const { client, clock } = createClient({ retry: false })
  let calls = 0
  const queryFn = () => {
    if (++calls % 2 === 0) throw new Error('down')
    return calls
  }
  const observer = client.watch({ queryKey: ['a'], queryFn, refetchInterval: 100 })
  observer.subscribe(() => {})
  await clock.advance(300)
  expect([calls, observer.result.isError, observer.result.data]).toEqual([4, true, 3])
})

test('polling does not pile up behind a slow origin', async () => {
  const { client, clock } = createClient()
  const origin = new Origin()
  client.watch({ queryKey: ['a'], queryFn: origin.queryFn, refetchInterval: 100 }).subscribe(() => {})
  await clock.advance(1_000)
  expect(origin.calls).toHaveLength(1)
})

test('setOptions changes the interval from now on', async () => {
  const { client, clock } = createClient({ staleTime: 60_000 })
  const queryFn = counting()
  const observer = client.watch({ queryKey: ['a'], queryFn, refetchInterval: 1_000 })
  observer.subscribe(() => {})
  await clock.advance(900)
  observer.setOptions({ queryKey: ['a'], queryFn, refetchInterval: 50 } as never)
  await clock.advance(100)
  expect(queryFn.calls).toBe(3)
  observer.setOptions({ queryKey: ['a'], queryFn } as never)
  await clock.advance(10_000)
  expect(queryFn.calls).toBe(3)
})

test('the smallest of intervals is no endless loop', async () => {
  const { client, clock } = createClient()
  const origin = new Origin()
  const observer = client.watch({
    queryKey: ['a'],
    queryFn: origin.queryFn,
    refetchInterval: Number.MIN_VALUE,
  })
  const leave = observer.subscribe(() => {})
  clock.setTimeout(leave, 0)
  await clock.advance(1)
  expect(origin.calls).toHaveLength(1)
})
