/** An optimistic update concerns the worker that makes it, until its origin has confirmed it. */

import { expect, test } from 'vitest'
import { QueryClient } from '../../src/index.ts'
import { MemoryStorage } from '../../src/storages/memory/index.ts'

const KEY = ['airport', 'EDDB']

test('data set with storage: false is seen here, and neither by other workers nor after a restart', async () => {
  const storage = new MemoryStorage()
  const here = new QueryClient({ storage, staleTime: Number.POSITIVE_INFINITY })
  here.setQueryData(KEY, 'confirmed')
  await here.flush()

  expect(here.setQueryData(KEY, 'optimistic', { storage: false })).toBe('optimistic')
  expect(here.getQueryData(KEY)).toBe('optimistic')
  await here.flush()

  const elsewhere = new QueryClient({ storage })
  expect(await elsewhere.getQueryDataAsync(KEY)).toBe('confirmed')
  here.clear()
  expect(await here.getQueryDataAsync(KEY)).toBe('confirmed')
})

test('storage that is no boolean is refused, by its value', () => {
  const client = new QueryClient()
  expect(() => client.setQueryData(KEY, 1, { storage: 'no' as never })).toThrow(
    expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining('no') }),
  )
  expect(client.getQueryData(KEY)).toBeUndefined()
})
