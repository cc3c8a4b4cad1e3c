import { isAbsolute, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { checkOptions, MIN_SIZE } from './options.ts'
import { SQLiteStorage } from './sqlite-storage.ts'

test('the defaults are those that the comments name', () => {
  expect(checkOptions({})).toEqual({
    path: resolve('cache.db'),
    maxSize: Number.POSITIVE_INFINITY,
    feedLength: 10_000,
    driver: undefined,
    logger: console,
  })
})

test('a path is fixed at construction, whatever the working directory becomes', () => {
  expect(isAbsolute(checkOptions('some/where.db').path)).toBe(true)
  expect(checkOptions(':memory:').path).toBe(':memory:')
})

test.each([
  [{ path: '' }, 'path is "", expected'],
  [{ path: 'file:cache.db' }, 'path is "file:cache.db", expected'],
  [{ path: 'a\0b' }, 'path is'],
  [{ path: 5 }, 'path is 5, expected'],
  [{ maxSize: MIN_SIZE - 1 }, `maxSize is ${MIN_SIZE - 1}, expected`],
  [{ maxSize: Number.NaN }, 'maxSize is NaN, expected'],
  [{ maxSize: '1GB' }, 'maxSize is "1GB", expected'],
  [{ feedLength: 0 }, 'feedLength is 0, expected'],
  [{ feedLength: 1.5 }, 'feedLength is 1.5, expected'],
  [{ feedLength: Number.POSITIVE_INFINITY }, 'feedLength is Infinity, expected'],
  [{ driver: 'mysql' }, 'driver is "mysql", expected'],
  [{ driver: {} }, 'driver is [object Object], expected'],
  [{ logger: {} }, 'logger is [object Object], expected'],
  [{ logger: null }, 'logger is null, expected'],
  [null, 'pathOrOptions is null, expected'],
  [7, 'pathOrOptions is 7, expected'],
])('%j is refused at construction, quoted', (options, text) => {
  expect(() => new SQLiteStorage(options as never)).toThrow(
    expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(text) }),
  )
})
