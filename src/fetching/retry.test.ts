import { expect, it } from 'vitest'
import { SafeLogger } from '../resilience/safe-logger.ts'
import { defaultRetryDelay, nextAttemptIn, type RetryPolicy } from './retry.ts'

const error = new Error('down')

function next(policy: Partial<RetryPolicy>, failures: number) {
  const lines: string[] = []
  const log = (message: string) => lines.push(message)
  const logger = new SafeLogger({ warn: log, error: log })
  return { delay: nextAttemptIn({ retry: 3, retryDelay: 7, ...policy }, failures, error, logger), lines }
}

it('the delay doubles from one second up to thirty', () => {
  expect([0, 1, 2, 3, 4, 5, 50, 5_000].map(defaultRetryDelay)).toEqual([
    1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000,
  ])
})

it.each<[RetryPolicy['retry'], number, boolean]>([
  [3, 0, true],
  [3, 2, true],
  [3, 3, false],
  [0, 0, false],
  [Number.POSITIVE_INFINITY, 1e9, true],
  [true, 1e9, true],
  [false, 0, false],
  [(failures) => failures < 1, 0, true],
  [(failures) => failures < 1, 1, false],
])('retry %s after %i earlier failures: %s', (retry, failures, isWorthIt) => {
  expect(next({ retry }, failures).delay).toBe(isWorthIt ? 7 : null)
})

it.each([[0], [0.5], [2 ** 40], [Number.POSITIVE_INFINITY]])(
  'a delay of %d is taken as it is',
  (retryDelay) => {
    expect(next({ retryDelay }, 0)).toEqual({ delay: retryDelay, lines: [] })
    expect(next({ retryDelay: () => retryDelay }, 0)).toEqual({ delay: retryDelay, lines: [] })
  },
)

it.each([[-1], [Number.NaN], ['1'], [null], [undefined]])('a delay of %s gives up and is logged', (bad) => {
  const { delay, lines } = next({ retryDelay: () => bad as number }, 0)
  expect([delay, lines.length]).toEqual([null, 1])
})

it('a policy that throws gives up and is logged', () => {
  const broken = (): never => {
    throw new Error('policy')
  }
  for (const policy of [{ retry: broken }, { retryDelay: broken }])
    expect(next(policy, 0)).toEqual({
      delay: null,
      lines: ['stackquery: retry or retryDelay threw. Not retrying.'],
    })
})
