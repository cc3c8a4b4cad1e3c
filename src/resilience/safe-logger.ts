/**
 * Reports that cannot hurt: a user's logger or callback that throws or rejects changes nothing else.
 * Knows nothing of queries.
 */

import type { Logger } from '../ports/logger.ts'

export class SafeLogger {
  readonly #logger: Logger

  constructor(logger: Logger) {
    this.#logger = logger
  }

  info(message: string, ...details: unknown[]): void {
    this.#write('info', message, details)
  }

  warn(message: string, ...details: unknown[]): void {
    this.#write('warn', message, details)
  }

  error(message: string, ...details: unknown[]): void {
    this.#write('error', message, details)
  }

  /** Calls a user's callback; what it throws, or rejects with, is logged under `name` and goes no further. */
  call<A extends unknown[]>(
    name: string,
    callback: ((...given: A) => unknown) | undefined,
    ...given: A
  ): void {
    if (callback === undefined) return
    try {
      const result = callback(...given)
      if (isThenable(result))
        result.then(undefined, (error: unknown) => this.error(`${name} rejected.`, error))
    } catch (error) {
      this.error(`${name} threw.`, error)
    }
  }

  #write(level: 'info' | 'warn' | 'error', message: string, details: unknown[]): void {
    try {
      const result: unknown = this.#logger[level]?.(`stackquery: ${message}`, ...details)
      if (isThenable(result)) result.then(undefined, ignore)
    } catch {
      // A logger that throws has nobody left to be told.
    }
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as PromiseLike<unknown>).then === 'function'
  )
}

function ignore(): void {}
