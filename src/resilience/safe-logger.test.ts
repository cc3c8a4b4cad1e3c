import { expect, test } from 'vitest'
import type { Logger } from '../ports/logger.ts'
import { SafeLogger } from './safe-logger.ts'

function setUp() {
  const lines: unknown[][] = []
  const write =
    (level: string) =>
    (...all: unknown[]) =>
      lines.push([level, ...all])
  return {
    lines,
    logger: new SafeLogger({ info: write('info'), warn: write('warn'), error: write('error') }),
  }
}

test('each level goes to its own method, under the name of the library', () => {
  const { lines, logger } = setUp()
  logger.info('a', 1)
  logger.warn('b')
  logger.error('c', 2, 3)
  expect(lines).toEqual([
    ['info', 'stackquery: a', 1],
    ['warn', 'stackquery: b'],
    ['error', 'stackquery: c', 2, 3],
  ])
  expect(() => new SafeLogger({ warn() {}, error() {} }).info('nowhere')).not.toThrow()
})

test('a logger that throws or rejects hurts nobody', async () => {
  const bad: Logger = {
    warn() {
      throw new Error('disk full')
    },
    error: () => Promise.reject(new Error('network')),
  }
  const logger = new SafeLogger(bad)
  logger.warn('a')
  logger.error('b')
  logger.call('onError', () => {
    throw new Error('mine')
  })
  await new Promise((resolve) => setImmediate(resolve))
})

test('a callback that throws or rejects is told of by its name', async () => {
  const { lines, logger } = setUp()
  const given: unknown[] = []
  logger.call('onSuccess', undefined)
  logger.call('onSuccess', (...all: unknown[]) => given.push(...all), 1, 2)
  logger.call('onSuccess', () => {
    throw 'thrown'
  })
  logger.call('onError', async () => {
    throw 'rejected'
  })
  logger.call('onSettled', () => Promise.resolve())
  logger.call('onSettled', () => null)
  await new Promise((resolve) => setImmediate(resolve))
  expect(given).toEqual([1, 2])
  expect(lines).toEqual([
    ['error', 'stackquery: onSuccess threw.', 'thrown'],
    ['error', 'stackquery: onError rejected.', 'rejected'],
  ])
})
