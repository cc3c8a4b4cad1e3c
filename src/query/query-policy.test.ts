import { expect, it } from 'vitest'
import { NO_POLICY, policyOf } from './query-policy.ts'

const key = { queryKey: ['a'], queryFn: () => 1 }

it('is one object for all that are fetched alike', () => {
  const onSuccess = () => {}
  const first = policyOf({ ...key, staleTime: 5, onSuccess } as never, NO_POLICY)
  expect(first).toEqual({ staleTime: 5, onSuccess })
  expect(policyOf({ ...key, queryKey: ['b'], onSuccess, staleTime: 5 } as never, first)).toBe(first)
  expect(policyOf({ ...key, staleTime: 6, onSuccess } as never, first)).toEqual({ staleTime: 6, onSuccess })
})

it('is nothing of its own where nothing is asked for', () => {
  const other = policyOf({ staleTime: 5 }, NO_POLICY)
  const { signal } = new AbortController()
  expect(policyOf({ ...key, signal, retry: undefined } as never, other)).toBe(NO_POLICY)
})

it.each([
  ['staleTime', 1],
  ['gcTime', 1],
  ['storageTtl', 1],
  ['retry', 1],
  ['retryDelay', 1],
  ['whenStale', 'wait'],
  ['storage', false],
  ['fetchTimeout', 1],
  ['meta', {}],
  ['validate', {}],
  ['initialData', 0],
  ['initialDataUpdatedAt', 1],
  ['onSuccess', () => {}],
  ['onError', () => {}],
  ['onSettled', () => {}],
])('keeps %s, however it is reached', (name, value) => {
  const inherited = Object.create({ [name]: value })
  expect(policyOf(inherited, NO_POLICY)).toEqual({ [name]: value })
})
