import { expect, test } from 'vitest'
import { createClient, fulfilled, Origin, watched } from './setting.ts'

const down = new Error('down')

test('mutate resolves to what mutationFn gave; the state follows', async () => {
  const { client, clock } = createClient()
  const states: unknown[] = []
  const mutation = client.mutation({ mutationFn: async (name: string) => `hello ${name}` })
  mutation.subscribe(({ status, data }) => states.push([status, data]))
  expect(await mutation.mutate('you')).toBe('hello you')
  expect(states).toEqual([
    ['idle', undefined],
    ['pending', undefined],
    ['success', 'hello you'],
  ])
  expect(mutation.state).toEqual({
    status: 'success',
    data: 'hello you',
    error: null,
    failureCount: 0,
    submittedAt: clock.now(),
    settledAt: clock.now(),
    isIdle: false,
    isPending: false,
    isSuccess: true,
    isError: false,
  })
})

test('the context of onMutate goes to every callback', async () => {
  const { client } = createClient()
  const heard: unknown[] = []
  const mutation = client.mutation({
    mutationFn: (input: number) => (input < 0 ? Promise.reject(down) : input * 2),
    onMutate: async (input) => ({ from: input }),
    onSuccess: (...given) => heard.push(['success', ...given]),
    onError: (...given) => heard.push(['error', ...given]),
    onSettled: (...given) => heard.push(['settled', ...given]),
  })
  await mutation.mutate(1)
  await expect(mutation.mutate(-1)).rejects.toBe(down)
  expect(heard).toEqual([
    ['success', 2, 1, { from: 1 }],
    ['settled', 2, null, 1, { from: 1 }],
    ['error', down, -1, { from: -1 }],
    ['settled', undefined, down, -1, { from: -1 }],
  ])
})

test('an optimistic update is rolled back when the change fails', async () => {
  const { client, clock } = createClient()
  const origin = new Origin<string[]>()
  client.setQueryData(['todos'], ['one'])
  const mutation = client.mutation({
    mutationFn: () => origin.queryFn({ signal: new AbortController().signal } as never),
    onMutate: (todo: string) => {
      const before = client.getQueryData<string[]>(['todos'])
      client.setQueryData(['todos'], [...(before ?? []), todo])
      return { before }
    },
    onError: (_error, _todo, context) => client.setQueryData(['todos'], context?.before),
    onSettled: () => client.invalidateQueries(['todos']),
  })
  const call = watched(mutation.mutate('two'))
  await clock.settle()
  expect(client.getQueryData(['todos'])).toEqual(['one', 'two'])
  origin.last.fail(down)
  await clock.settle()
  expect(call.now).toEqual({ is: 'rejected', reason: down })
  expect(client.getQueryState(['todos'])).toMatchObject({ data: ['one'], isInvalidated: true })
})

test('the functions are told of the client and of meta', async () => {
  const { client } = createClient()
  const meta = { a: 1 }
  const seen: unknown[] = []
  await client
    .mutation({
      meta,
      mutationFn: (input: string, context) => seen.push([input, context]),
      onMutate: (input, context) => seen.push([input, context]),
    })
    .mutate('in')
  expect(seen).toEqual(Array(2).fill(['in', { client, meta }]))
})

test('a change is not repeated unless told to be', async () => {
  const { client, clock } = createClient({ retry: 3, retryDelay: 10 })
  let calls = 0
  const mutationFn = () => {
    calls++
    throw down
  }
  await expect(client.mutation({ mutationFn }).mutate(undefined)).rejects.toBe(down)
  expect(calls).toBe(1)
  const repeated = client.mutation({ mutationFn, retry: 2, retryDelay: (attempt) => 100 * (attempt + 1) })
  const call = watched(repeated.mutate(undefined))
  await clock.advance(99)
  expect([calls, repeated.state.failureCount, repeated.state.status]).toEqual([2, 1, 'pending'])
  await clock.advance(201)
  expect([calls, call.now.is, repeated.state.failureCount]).toEqual([4, 'rejected', 3])
})

test('onMutate that throws makes no change and rejects', async () => {
  const { client } = createClient()
  let calls = 0
  const heard: unknown[] = []
  const mutation = client.mutation({
    mutationFn: () => ++calls,
    onMutate: () => {
      throw down
    },
    onError: (error, _input, context) => heard.push([error, context]),
  })
  await expect(mutation.mutate(undefined)).rejects.toBe(down)
  expect([calls, heard, mutation.state.status]).toEqual([0, [[down, undefined]], 'error'])
})

test.each(['onSuccess', 'onError', 'onSettled'] as const)(
  'a callback that throws or rejects is logged and changes nothing: %s',
  async (name) => {
    for (const broken of [
      () => {
        throw new Error('callback')
      },
      () => Promise.reject(new Error('callback')),
    ]) {
      const { client, log } = createClient()
      const mutationFn = () => (name === 'onError' ? Promise.reject(down) : 'data')
      const heard: string[] = []
      const mutation = client.mutation({
        mutationFn,
        onSettled: () => heard.push('settled'),
        ...{ [name]: broken },
      })
      const call = mutation.mutate(undefined)
      if (name === 'onError') await expect(call).rejects.toBe(down)
      else expect(await call).toBe('data')
      expect(heard).toEqual(name === 'onSettled' ? [] : ['settled'])
      expect(log.messages).toEqual([`stackquery: ${name} of a mutation threw.`])
    }
  },
)

test('a listener that throws changes nothing and skips nobody; who has left is not called', async () => {
  const { client, log } = createClient()
  const mutation = client.mutation({ mutationFn: () => 'data' })
  const seen: string[] = []
  mutation.subscribe(() => {
    throw new Error('listener')
  })
  const leaveLast = { now: () => {} }
  mutation.subscribe(({ status }) => {
    seen.push(`second ${status}`)
    if (status === 'pending') leaveLast.now()
  })
  leaveLast.now = mutation.subscribe(({ status }) => seen.push(`third ${status}`))
  expect(await mutation.mutate(undefined)).toBe('data')
  expect(seen).toEqual(['second idle', 'third idle', 'second pending', 'second success'])
  expect(log.lines).toHaveLength(3)
})

test('a listener that changes the state leaves every listener with the newest, in order', async () => {
  const { client } = createClient()
  const mutation = client.mutation({ mutationFn: () => 'data' })
  const seen: string[] = []
  mutation.subscribe(({ status }) => {
    if (status === 'success') mutation.reset()
  })
  mutation.subscribe(({ status }) => seen.push(status))
  await mutation.mutate(undefined)
  expect(seen).toEqual(['idle', 'pending', 'idle'])
})

test('where calls overlap the state is that of the newest; each promise is its own', async () => {
  const { client, clock } = createClient()
  const origin = new Origin()
  const signal = new AbortController().signal
  const mutation = client.mutation({ mutationFn: () => origin.queryFn({ signal } as never) })
  const [first, second] = [watched(mutation.mutate(undefined)), watched(mutation.mutate(undefined))]
  await clock.settle()
  origin.calls[1]?.answer('second')
  await clock.settle()
  origin.calls[0]?.fail(down)
  await clock.settle()
  expect([first.now, second.now]).toEqual([{ is: 'rejected', reason: down }, fulfilled('second')])
  expect(mutation.state).toMatchObject({ status: 'success', data: 'second', error: null })
})

test('reset leads back to idle; what still runs settles its promise and no longer shows', async () => {
  const { client, clock } = createClient()
  const origin = new Origin()
  const signal = new AbortController().signal
  const mutation = client.mutation({ mutationFn: () => origin.queryFn({ signal } as never) })
  const call = watched(mutation.mutate(undefined))
  await clock.settle()
  mutation.reset()
  origin.last.answer('data')
  await clock.settle()
  expect(call.now).toEqual(fulfilled('data'))
  expect(mutation.state).toMatchObject({ status: 'idle', data: undefined, submittedAt: 0 })
})

test('a closed client repeats nothing', async () => {
  const { client, clock } = createClient()
  let calls = 0
  const mutationFn = () => {
    calls++
    throw down
  }
  const call = watched(client.mutation({ mutationFn, retry: true, retryDelay: 1_000 }).mutate(undefined))
  await clock.settle()
  await client.close()
  await clock.advance(60_000)
  expect([call.now, calls]).toEqual([{ is: 'rejected', reason: down }, 1])
})

test('what is no Error is wrapped, its cause kept', async () => {
  const { client } = createClient()
  const call = client.mutation({ mutationFn: () => Promise.reject('text') }).mutate(undefined)
  await expect(call).rejects.toMatchObject({ code: 'NON_ERROR_THROWN', cause: 'text' })
})

test('undefined is a result like any other', async () => {
  const { client } = createClient()
  const mutation = client.mutation({ mutationFn: async (_input: number) => {} })
  expect(await mutation.mutate(1)).toBe(undefined)
  expect(mutation.state.isSuccess).toBe(true)
})
