/** Whether and when to try again. Knows nothing of queries. */

import type { Retry, RetryDelay } from '../query/query-options.ts'
import type { SafeLogger } from '../resilience/safe-logger.ts'

export interface RetryPolicy {
  readonly retry: Retry
  readonly retryDelay: RetryDelay
}

/** Doubles from one second up to thirty: `min(1000 * 2 ** attempt, 30_000)` milliseconds. */
export function defaultRetryDelay(attempt: number): number {
  return Math.min(1000 * 2 ** attempt, 30_000)
}

/**
 * Milliseconds until the next attempt after `failures` earlier ones and this one, or `null` to give up.
 * A policy function that throws, or a delay that is no duration, is logged and gives up.
 */
export function nextAttemptIn(
  policy: RetryPolicy,
  failures: number,
  error: Error,
  logger: SafeLogger,
): number | null {
  const { retry, retryDelay } = policy
  try {
    const isWorthIt =
      typeof retry === 'function'
        ? retry(failures, error)
        : typeof retry === 'number'
          ? failures < retry
          : retry
    if (!isWorthIt) return null
    const delay: unknown = typeof retryDelay === 'function' ? retryDelay(failures, error) : retryDelay
    if (typeof delay === 'number' && delay >= 0) return delay
    logger.error(
      `retryDelay returned ${String(delay)}; expected milliseconds from 0 to Infinity. Not retrying.`,
    )
  } catch (thrown) {
    logger.error('retry or retryDelay threw. Not retrying.', thrown)
  }
  return null
}
