import { expect, it } from 'vitest'

import { SafeLogger } from './safe-logger.ts'

const broken = new Error('broken')
const boom = (): never => {
  throw broken
}

it('passes on what is said, marked as ours; a level that the logger lacks is dropped', () => {
  const lines: unknown[] = []
  const logger = new SafeLogger({
    warn: (...given) => lines.push(['warn', ...given]),
    error: (...given) => lines.push(['error', ...given]),
  })
  logger.info('dropped')
  logger.warn('one', 1, 2)
  logger.error('two')
  expect(lines).toEqual([
    ['warn', 'stackquery: one', 1, 2],
    ['error', 'stackquery: two'],
  ])
})

it('what a callback throws or rejects with is logged under its name and goes no further', async () => {
  const lines: unknown[] = []
  const log = (...given: unknown[]) => lines.push(given)
  const logger = new SafeLogger({ warn: log, error: log })
  logger.call('onThing', undefined)
  logger.call('onThing', (a: number, b: number) => lines.push(a + b), 1, 2)
  logger.call('onThing', boom)
  logger.call('onThing', () => Promise.reject(broken))
  logger.call('onThing', () => ({
    // biome-ignore lint/suspicious/noThenProperty: a thenable that breaks when looked at
    get then() {
      return boom()
    },
  }))
  await null
  await null
  expect(lines).toEqual([
    3,
    ['stackquery: onThing threw.', broken],
    ['stackquery: onThing threw.', broken],
    ['stackquery: onThing rejected.', broken],
  ])
})

it('a logger that throws or rejects is left alone', () => {
  const logger = new SafeLogger({ warn: boom, error: () => Promise.reject(broken) })
  logger.warn('x')
  logger.error('x')
  logger.call('onThing', boom)
})
