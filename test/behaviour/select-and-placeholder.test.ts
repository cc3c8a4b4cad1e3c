import { expect, test } from 'vitest'
import { MemoryStorage } from '../../src/storages/memory/index.ts'
import { counting, createClient, Origin } from './setting.ts'

test('select is memoised: it runs when the data or the function changes, and then alone', async () => {
  const { client, clock } = createClient({ staleTime: 100 })
  let runs = 0
  const select = (data: { n: number }) => {
    runs++
    return { double: data.n * 2 }
  }
  client.setQueryData(['a'], { n: 1 })
  const options = { queryKey: ['a'], enabled: false, select }
  const observer = client.watch(options)
  observer.subscribe(() => {})
  const first = observer.result.data
  await client.invalidateQueries(['a'])
  client.pauseQueries(['a'])
  await clock.advance(1_000)
  expect(observer.result.data).toBe(first)
  expect(runs).toBe(1)
  client.setQueryData(['a'], { n: 2 })
  expect([observer.result.data, runs]).toEqual([{ double: 4 }, 2])
  observer.setOptions({ ...options, select: (data: { n: number }) => ({ double: data.n + data.n }) } as never)
  expect([observer.result.data, runs]).toEqual([{ double: 4 }, 2])
})

test('select is memoised for NaN, too', () => {
  const { client } = createClient({ staleTime: 100 })
  let runs = 0
  client.setQueryData(['a'], Number.NaN)
  const observer = client.watch<number, object>({
    queryKey: ['a'],
    enabled: false,
    select: () => {
      runs++
      return {}
    },
  })
  observer.subscribe(() => {})
  client.pauseQueries()
  expect(runs).toBe(1)
})

test("an error of select shows in the observer's result only", async () => {
  const { client, clock, log } = createClient({ staleTime: 100 })
  const error = new Error('no such field')
  const options = { queryKey: ['a'], queryFn: () => 'data' }
  const broken = client.watch<string, string>({
    ...options,
    select: () => {
      throw error
    },
  })
  const sound = client.watch(options)
  broken.subscribe(() => {})
  sound.subscribe(() => {})
  await clock.settle()
  expect(broken.result).toMatchObject({ status: 'error', isError: true, error, data: undefined })
  expect(sound.result).toMatchObject({ status: 'success', error: null, data: 'data' })
  expect(client.getQueryState(['a'])).toMatchObject({ status: 'success', error: null })
  expect(await client.fetchQuery(options)).toBe('data')
  expect(log.lines).toEqual([])
})

test('after an error of select the last selected data stays, and the next data clears the error', () => {
  const { client } = createClient({ staleTime: 100 })
  const select = (n: number) => {
    if (n === 2) throw new Error('two')
    return `n is ${n}`
  }
  client.setQueryData(['a'], 1)
  const observer = client.watch<number, string>({ queryKey: ['a'], enabled: false, select })
  observer.subscribe(() => {})
  client.setQueryData(['a'], 2)
  expect(observer.result).toMatchObject({ status: 'error', data: 'n is 1' })
  client.setQueryData(['a'], 3)
  expect(observer.result).toMatchObject({ status: 'success', error: null, data: 'n is 3' })
})

test('what was selected of one key is never shown under another', () => {
  const { client } = createClient({ staleTime: 100 })
  const select = (data: string) => {
    if (data === 'bad') throw new Error('bad')
    return `good ${data}`
  }
  client.setQueryData(['a'], 'one')
  client.setQueryData(['b'], 'bad')
  const observer = client.watch<string, string>({ queryKey: ['a'], enabled: false, select })
  observer.subscribe(() => {})
  observer.setOptions({ queryKey: ['b'], enabled: false, select } as never)
  expect(observer.result).toMatchObject({ status: 'error', data: undefined })
})

test.each([['text'], [null], [Object.create(null)]])('select may throw what is no Error: %o', (thrown) => {
  const { client } = createClient({ staleTime: 100 })
  client.setQueryData(['a'], 1)
  const observer = client.watch({
    queryKey: ['a'],
    enabled: false,
    select: () => {
      throw thrown
    },
  })
  observer.subscribe(() => {})
  expect(observer.result.error).toMatchObject({ code: 'NON_ERROR_THROWN', cause: thrown })
})

test('select may give anything, undefined included', () => {
  const { client } = createClient({ staleTime: 100 })
  client.setQueryData(['a'], 1)
  const observer = client.watch<number, undefined>({
    queryKey: ['a'],
    enabled: false,
    select: () => undefined,
  })
  observer.subscribe(() => {})
  expect(observer.result).toMatchObject({ status: 'success', data: undefined })
})

test('placeholder data is shown while there is none, and never cached', async () => {
  const storage = new MemoryStorage()
  const { client, clock } = createClient({ storage, staleTime: 60_000 })
  const origin = new Origin()
  const observer = client.watch<string, string>({
    queryKey: ['a'],
    queryFn: origin.queryFn,
    placeholderData: 'soon',
    select: (text) => text.toUpperCase(),
  })
  const seen: unknown[] = []
  observer.subscribe(({ data, source, status, isFetching }) => seen.push([data, source, status, isFetching]))
  await clock.settle()
  expect(client.getQueryData(['a'])).toBe(undefined)
  expect(client.getQueryState(['a'])).toMatchObject({ status: 'pending', data: undefined, source: null })
  expect(await client.getQueryDataAsync(['a'])).toBe(undefined)
  origin.last.answer('now')
  await clock.settle()
  expect(seen).toEqual([
    ['SOON', 'placeholder', 'success', true],
    ['NOW', 'origin', 'success', false],
  ])
})

test('placeholder data may be a function, which may give none or throw', () => {
  const { client, log } = createClient()
  const withPlaceholder = (placeholderData: () => string | undefined) =>
    client.watch<string>({ queryKey: ['a'], enabled: false, placeholderData }).result
  expect(withPlaceholder(() => 'made')).toMatchObject({ data: 'made', source: 'placeholder' })
  expect(withPlaceholder(() => undefined)).toMatchObject({ data: undefined, source: null, status: 'idle' })
  expect(
    withPlaceholder(() => {
      throw new Error('no placeholder')
    }),
  ).toMatchObject({ data: undefined, source: null })
  expect(log.messages).toEqual([expect.stringContaining('placeholderData threw')])
})

test('placeholder data does not hide the error of the first fetch', async () => {
  const { client, clock } = createClient({ retry: false })
  const queryFn = () => Promise.reject(new Error('down'))
  const observer = client.watch<string>({ queryKey: ['a'], queryFn, placeholderData: 'soon' })
  observer.subscribe(() => {})
  await clock.settle()
  expect(observer.result).toMatchObject({ status: 'error', data: undefined })
})

test('falsy placeholder data is data', () => {
  const { client } = createClient()
  for (const placeholderData of [0, '', false, null]) {
    const { result } = client.watch<unknown>({ queryKey: ['a'], placeholderData })
    expect(result).toMatchObject({ data: placeholderData, source: 'placeholder' })
  }
})

test('initial data ages from initialDataUpdatedAt', async () => {
  const { client, clock } = createClient({ staleTime: 1_000 })
  const queryFn = counting()
  const options = { queryFn, initialData: 0, initialDataUpdatedAt: clock.now() - 600 }
  expect(await client.fetchQuery({ queryKey: ['a'], ...options })).toBe(0)
  await clock.advance(399)
  expect(await client.fetchQuery({ queryKey: ['a'], ...options })).toBe(0)
  expect([queryFn.calls, client.getQueryState(['a'])?.source]).toEqual([0, 'initial'])
  await clock.advance(1)
  expect(await client.fetchQuery({ queryKey: ['a'], ...options })).toBe(0)
  await clock.settle()
  expect([queryFn.calls, client.getQueryData(['a'])]).toEqual([1, 1])
})

test('initial data is as of now unless told otherwise, and leaves data that is there alone', async () => {
  const { client, clock } = createClient({ staleTime: 1_000 })
  const queryFn = counting()
  const initialData = () => -1
  expect(await client.fetchQuery({ queryKey: ['a'], queryFn, initialData })).toBe(-1)
  expect(client.getQueryState(['a'])?.dataUpdatedAt).toBe(clock.now())
  client.setQueryData(['b'], 7)
  expect(await client.fetchQuery({ queryKey: ['b'], queryFn, initialData })).toBe(7)
  expect(queryFn.calls).toBe(0)
})

test('initial data may be falsy; a function may give none or throw', async () => {
  const { client, log } = createClient({ staleTime: 1_000 })
  const queryFn = () => 'origin'
  const get = (name: string, initialData: unknown) =>
    client.fetchQuery<unknown>({ queryKey: [name], queryFn, initialData })
  expect(await get('zero', 0)).toBe(0)
  expect(await get('null', () => null)).toBe(null)
  expect(await get('none', () => undefined)).toBe('origin')
  expect(
    await get('throws', () => {
      throw new Error('no data')
    }),
  ).toBe('origin')
  expect(log.messages).toEqual([expect.stringContaining('initialData threw')])
})
