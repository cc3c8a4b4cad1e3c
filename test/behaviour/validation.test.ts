import { expect, test } from 'vitest'
import type { StandardResult, StandardSchemaV1 } from '../../src/index.ts'
import { MemoryStorage } from '../../src/storages/memory/index.ts'
import { counting, createClient, fulfilled, watched } from './setting.ts'

function schema<T>(
  validate: (value: unknown) => StandardResult<T> | Promise<StandardResult<T>>,
): StandardSchemaV1<T> {
  return { '~standard': { version: 1, vendor: 'test', validate } }
}

const isNumber = schema<number>((value) =>
  typeof value === 'number' ? { value } : { issues: [{ message: 'no number' }, { message: 'at all' }] },
)

async function stored(key: string, data: unknown) {
  const storage = new MemoryStorage()
  const { client } = createClient({ storage })
  client.setQueryData([key], data)
  await client.flush()
  return storage.connect()
}

test('data from queryFn that fits its schema is what the schema gives back', async () => {
  const { client } = createClient()
  const queryFn = () => '7' as unknown as number
  const validate = schema<number>(async (value) => ({ value: Number(value) }))
  expect(await client.fetchQuery({ queryKey: ['a'], queryFn, validate })).toBe(7)
  expect(client.getQueryData(['a'])).toBe(7)
})

test('data from queryFn that does not fit rejects with VALIDATION_FAILED and its issues', async () => {
  const { client } = createClient({ retry: false })
  const queryFn = () => 'text' as unknown as number
  await expect(client.fetchQuery({ queryKey: ['a'], queryFn, validate: isNumber })).rejects.toMatchObject({
    code: 'VALIDATION_FAILED',
    message: expect.stringMatching(/\["a"\].*no number \(and 1 more\)/),
    issues: [{ message: 'no number' }, { message: 'at all' }],
  })
  expect(client.getQueryData(['a'])).toBe(undefined)
})

test('a validation that failed is tried again like any failure', async () => {
  const { client, clock } = createClient({ retryDelay: 10 })
  let calls = 0
  const queryFn = () => (++calls === 1 ? ('text' as unknown as number) : 7)
  const call = watched(client.fetchQuery({ queryKey: ['a'], queryFn, validate: isNumber }))
  await clock.advance(10)
  expect(call.now).toEqual(fulfilled(7))
})

test('data from L2 that does not fit is a miss: reported, counted, never thrown', async () => {
  const { client, clock, log } = createClient({ storage: await stored('a', 'text'), staleTime: 60_000 })
  const queryFn = counting()
  const call = watched(client.fetchQuery({ queryKey: ['a'], queryFn, validate: isNumber }))
  await clock.settle()
  expect(call.now).toEqual(fulfilled(1))
  expect(log.lines).toEqual([
    { level: 'warn', message: expect.stringContaining('["a"]'), details: [expect.any(Error)] },
  ])
  expect(client.stats().storage).toMatchObject({ rejected: 1 })
})

test('data from L2 that fits is what the schema gives back', async () => {
  const { client, clock } = createClient({ storage: await stored('a', 6), staleTime: 60_000 })
  const validate = schema<number>((value) => ({ value: Number(value) + 1 }))
  const call = watched(client.fetchQuery({ queryKey: ['a'], queryFn: counting(), validate }))
  await clock.settle()
  expect(call.now).toEqual(fulfilled(7))
})

test.each([
  [
    'throws',
    () => {
      throw new Error('broken schema')
    },
  ],
  ['rejects', () => Promise.reject(new Error('broken schema'))],
  ['gives nothing', () => undefined as never],
  ['gives undefined as the value', () => ({ value: undefined as never })],
])('a schema that %s fails the fetch and makes a miss of L2', async (_, validate) => {
  const { client, clock } = createClient({ storage: await stored('a', 6), staleTime: 60_000, retry: false })
  const queryFn = counting()
  const call = watched(client.fetchQuery({ queryKey: ['a'], queryFn, validate: schema<number>(validate) }))
  await clock.settle()
  expect([call.now.is, queryFn.calls]).toEqual(['rejected', 1])
})

test('setQueryData and initial data are the user’s own word and are not validated', async () => {
  const { client } = createClient({ staleTime: 60_000 })
  client.setQueryData(['a'], 'text')
  expect(await client.fetchQuery<unknown>({ queryKey: ['a'], validate: isNumber })).toBe('text')
})
