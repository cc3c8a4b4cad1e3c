import { expect, test } from 'vitest'
import { expiresAt, toWrite } from './entry.ts'

test.each([
  [undefined, null],
  [Number.POSITIVE_INFINITY, null],
  [Number.MAX_VALUE, null],
  [2 ** 40, 1_000 + 2 ** 40],
  [250, 1_250],
  [0.001, 1_001],
  [1.5, 1_002],
  [0, 1_000],
  [-5, 1_000],
  [Number.NEGATIVE_INFINITY, 1_000],
])('a ttl of %s expires at %s', (ttl, expected) => {
  expect(expiresAt(ttl, 1_000)).toBe(expected)
})

test.each([Number.NaN, '5', null, {}])('a ttl of %s is refused by name', (ttl) => {
  expect(() => expiresAt(ttl as never, 0)).toThrow(
    expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(`ttl is `) }),
  )
})

test('what has expired already is a deletion', () => {
  expect(toWrite('key', 'value', 0, 1_000).value).toBe(null)
  expect(toWrite('key', 'value', 0.1, 1_000).value).toBe('value')
})
