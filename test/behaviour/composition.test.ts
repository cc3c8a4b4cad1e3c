import { expect, test } from 'vitest'
import { dependentQuery, parallelQueries, query, queryOptions } from '../../src/index.ts'
import { counting, createClient, fulfilled, Origin, watched } from './setting.ts'

test('parallelQueries fetches all at once and resolves to a tuple in their order', async () => {
  const { client, clock } = createClient()
  const [slow, fast] = [new Origin<string>(), new Origin<number>()]
  const both = watched(
    parallelQueries(
      client,
      { queryKey: ['slow'], queryFn: slow.queryFn },
      { queryKey: ['fast'], queryFn: fast.queryFn },
    ),
  )
  expect([slow.calls.length, fast.calls.length]).toEqual([1, 1])
  fast.last.answer(2)
  await clock.settle()
  slow.last.answer('one')
  await clock.settle()
  expect(both.now).toEqual(fulfilled(['one', 2]))
})

test('parallelQueries rejects with the first failure, and the others are heard of by nobody else', async () => {
  const { client } = createClient({ retry: false })
  const fail = (name: string) => ({ queryKey: [name], queryFn: () => Promise.reject(new Error(name)) })
  await expect(parallelQueries(client, fail('first'), fail('second'))).rejects.toThrow('first')
  await expect(parallelQueries(client, { queryKey: 'bad' } as never)).rejects.toMatchObject({
    code: 'INVALID_QUERY_KEY',
  })
  expect(await parallelQueries(client)).toEqual([])
})

test('dependentQuery fetches the second with the data of the first', async () => {
  const { client } = createClient({ staleTime: 1_000 })
  const user = { queryKey: ['user', 1], queryFn: () => ({ id: 1, team: 7 }) }
  const team = await dependentQuery(client, {
    dependsOn: user,
    then: ({ team }) => ({ queryKey: ['team', team], queryFn: () => `team ${team}` }),
  })
  expect(team).toBe('team 7')
  expect(client.getQueryData(['team', 7])).toBe('team 7')
})

test('dependentQuery rejects with the failure of either, or of what is between them', async () => {
  const { client } = createClient({ retry: false })
  const good = { queryKey: ['good'], queryFn: () => 1 }
  const bad = { queryKey: ['bad'], queryFn: () => Promise.reject(new Error('down')) }
  await expect(dependentQuery(client, { dependsOn: bad, then: () => good })).rejects.toThrow('down')
  await expect(dependentQuery(client, { dependsOn: good, then: () => bad })).rejects.toThrow('down')
  const then = () => {
    throw new Error('between')
  }
  await expect(dependentQuery(client, { dependsOn: good, then })).rejects.toThrow('between')
})

test('query makes a caching function: equal keys are the same call', async () => {
  const { client } = createClient()
  let calls = 0
  const getUser = query(client, (id: number) => ['user', id], { staleTime: 1_000 })(async (id: number) => {
    calls++
    return { id }
  })
  const [a, b, c] = await Promise.all([getUser(1), getUser(1), getUser(2)])
  expect([a, b, c, calls]).toEqual([{ id: 1 }, { id: 1 }, { id: 2 }, 2])
  expect(getUser.getData(1)).toBe(a)
  expect(getUser.getData(3)).toBe(undefined)
  expect(getUser.options(1)).toMatchObject({ queryKey: ['user', 1], staleTime: 1_000 })
})

test('query: invalidate concerns these arguments alone', async () => {
  const { client, clock } = createClient({ staleTime: 60_000 })
  const calls: unknown[] = []
  const list = query(client, (...path: string[]) => ['list', ...path])((...path: string[]) =>
    calls.push(path),
  )
  await list('a')
  await list('a', 'b')
  await list.invalidate('a')
  await list('a')
  await list('a', 'b')
  await clock.settle()
  expect(calls).toEqual([['a'], ['a', 'b'], ['a']])
})

test('query with a plain key caches one result', async () => {
  const { client } = createClient({ staleTime: 60_000 })
  const next = query(client, ['settings'])(counting())
  expect([await next(), await next(), next.getData()]).toEqual([1, 1, 1])
  await next.invalidate()
  expect(client.getQueryState(['settings'])?.isInvalidated).toBe(true)
})

test('what a query function throws synchronously, in its key or itself, rejects', async () => {
  const { client } = createClient({ retry: false })
  const thrower = (): never => {
    throw new Error('at once')
  }
  await expect(query(client, ['a'])(thrower)()).rejects.toThrow('at once')
  const byKey = query(client, thrower)(() => 1)
  await expect(byKey()).rejects.toThrow('at once')
})

test('queryOptions gives the options back, checked', async () => {
  const { client } = createClient({ staleTime: 1_000 })
  const options = queryOptions({ queryKey: ['user', 1], queryFn: () => ({ name: 'Ann' }) })
  expect(await client.fetchQuery(options)).toEqual({ name: 'Ann' })
  expect(client.getQueryData(options.queryKey)).toEqual({ name: 'Ann' })
  expect(() => queryOptions({ queryKey: [Number.NaN] })).toThrow(/key\[0\] is NaN/)
})
