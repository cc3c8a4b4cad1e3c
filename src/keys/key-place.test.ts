import { expect, it } from 'vitest'
import { hashKey } from './hash-key.ts'
import { hashAt, isKeyAt, keyAt } from './key-place.ts'
import { PrefixIndex } from './prefix-index.ts'
import type { QueryKey } from './query-key.ts'

it.each<[string, QueryKey]>([
  ['of no part', []],
  ['of one part', ['a']],
  ['of two parts', ['a', 1]],
  ['of parts of every kind', ['a', { x: [1, null] }, new Date(5), 2n, true]],
  ['of parts that look like marks of the index', ['\0a', '\0{"x":1}', 0]],
])('a place tells a key %s', (_, key) => {
  const index = new PrefixIndex<{ key: () => QueryKey; hash: () => string }>()
  const leaf = index.add(key, (above, part) => ({
    key: () => keyAt(above, part),
    hash: () => hashAt(above, part),
  }))
  // What comes and goes beside and below it changes nothing.
  index.add([...key, 'below'], () => leaf)
  index.add([...key.slice(0, -1), 'beside'], () => leaf)
  index.delete([...key, 'below'])
  expect(leaf.key()).toEqual(key)
  expect(hashKey(leaf.key())).toBe(hashKey(key))
  // Asked twice: what the first has kept is of use to the second.
  expect([leaf.hash(), leaf.hash()]).toEqual([hashKey(key), hashKey(key)])
  index.delete(key)
  expect(leaf.key()).toEqual(key)
})

it('a place holds parts of its own', () => {
  const index = new PrefixIndex<{ key: () => QueryKey }>()
  const part = { page: 1 }
  const key = ['list', part, 'rows']
  const leaf = index.add(key, (above, last) => ({ key: () => keyAt(above, last) }))
  part.page = 2
  key[0] = 'other'
  expect(leaf.key()).toEqual(['list', { page: 1 }, 'rows'])
})

it.each<[unknown, boolean]>([
  [['a', 1, true], true],
  [['a', 1, false], false],
  [['a', 1], false],
  [['b', 1, true], false],
  [[1, true], false],
  [['x', 'a', 1, true], false],
  [['a', 1, true, undefined], false],
  [[], false],
  ['a', false],
])('the place of ["a", 1, true] is that of %j: %s', (key, isIt) => {
  const index = new PrefixIndex<{ isOf: (key: QueryKey) => boolean }>()
  const leaf = index.add(['a', 1, true], (above, part) => ({ isOf: (key) => isKeyAt(above, part, key) }))
  expect(leaf.isOf(key as QueryKey)).toBe(isIt)
})

it('a place tells nothing of keys with objects, nor of what is no key', () => {
  const isOf = (own: QueryKey, key: unknown) => {
    const index = new PrefixIndex<{ isIt: boolean }>()
    return index.add(own, (above, part) => ({ isIt: isKeyAt(above, part, key as QueryKey) })).isIt
  }
  const date = new Date(0)
  expect(isOf([date], [date])).toBe(false)
  expect(isOf([], [])).toBe(false)
  expect(isOf(['a'], 'a')).toBe(false)
  expect(isOf(['a'], { 0: 'a', length: 1 })).toBe(false)
})

it.each<[string, QueryKey]>([
  ['last', ['a', new Date(0)]],
  ['before the last', [new Date(0), 'a']],
])('nor of a key whose %s part is an object of its own, which may have changed since', (_, own) => {
  const index = new PrefixIndex<{ key: QueryKey; isOf(key: QueryKey): boolean }>()
  const leaf = index.add(own, (above, part) => ({
    key: keyAt(above, part),
    isOf: (key) => isKeyAt(above, part, key),
  }))
  expect(leaf.isOf(leaf.key)).toBe(false)
})
