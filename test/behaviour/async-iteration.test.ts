import { expect, test } from 'vitest'
import { createClient, Origin, watched } from './setting.ts'

test('an observer can be iterated over: the first state at once, then the newest when asked, overtaken ones skipped', async () => {
  const { client } = createClient({ staleTime: 60_000 })
  client.setQueryData(['a'], 0)
  const iterator = client.watch<number>({ queryKey: ['a'], enabled: false })[Symbol.asyncIterator]()
  expect((await iterator.next()).value?.data).toBe(0)
  for (const n of [1, 2, 3]) client.setQueryData(['a'], n)
  expect((await iterator.next()).value?.data).toBe(3)
  const waiting = iterator.next()
  client.setQueryData(['a'], 4)
  client.setQueryData(['a'], 5)
  expect((await waiting).value?.data).toBe(4)
  expect((await iterator.next()).value?.data).toBe(5)
})

test('for await shows the states until it is left, and leaving unsubscribes', async () => {
  const { client, clock } = createClient({ staleTime: 60_000, gcTime: 1_000 })
  const origin = new Origin()
  const seen: unknown[] = []
  const loop = (async () => {
    for await (const { data } of client.watch({ queryKey: ['a'], queryFn: origin.queryFn })) {
      seen.push(data)
      if (data === 'second') break
    }
  })()
  await clock.settle()
  origin.last.answer('first')
  await clock.settle()
  client.setQueryData(['a'], 'second')
  await loop
  expect(seen).toEqual([undefined, 'first', 'second'])
  await clock.advance(1_000)
  expect(client.cache.has(['a'])).toBe(false)
})

test('iteration subscribes at the first next', async () => {
  const { client, clock } = createClient()
  const origin = new Origin()
  const iterator = client.watch({ queryKey: ['a'], queryFn: origin.queryFn })[Symbol.asyncIterator]()
  await clock.settle()
  expect(origin.calls).toHaveLength(0)
  await iterator.next()
  await clock.settle()
  expect(origin.calls).toHaveLength(1)
  expect(iterator[Symbol.asyncIterator]()).toBe(iterator)
})

test('several who wait are served in their order', async () => {
  const { client } = createClient({ staleTime: 60_000 })
  client.setQueryData(['a'], 0)
  const iterator = client.watch<number>({ queryKey: ['a'], enabled: false })[Symbol.asyncIterator]()
  const results = [iterator.next(), iterator.next(), iterator.next()]
  client.setQueryData(['a'], 1)
  client.setQueryData(['a'], 2)
  expect((await Promise.all(results)).map(({ value }) => value?.data)).toEqual([0, 1, 2])
})

test('return and throw end it for those who wait, and for good', async () => {
  const { client, clock } = createClient({ staleTime: 60_000 })
  client.setQueryData(['a'], 0)
  const observer = client.watch<number>({ queryKey: ['a'], enabled: false })
  const done = { done: true, value: undefined }
  const iterator = observer[Symbol.asyncIterator]()
  await iterator.next()
  const waiting = watched(iterator.next())
  expect(await iterator.return?.()).toEqual(done)
  await clock.settle()
  expect(waiting.now).toEqual({ is: 'fulfilled', value: done })
  expect(await iterator.next()).toEqual(done)
  const other = observer[Symbol.asyncIterator]()
  await other.next()
  await expect(other.throw?.(new Error('mine'))).rejects.toThrow('mine')
  expect(await other.next()).toEqual(done)
  const unused = observer[Symbol.asyncIterator]()
  expect(await unused.return?.()).toEqual(done)
  expect(await unused.next()).toEqual(done)
})
