import { expect, it } from 'vitest'
import { hashKey } from './hash-key.ts'
import { keyAt } from './key-place.ts'
import { PrefixIndex } from './prefix-index.ts'
import type { QueryKey } from './query-key.ts'

it.each<[string, QueryKey]>([
  ['of no part', []],
  ['of one part', ['a']],
  ['of two parts', ['a', 1]],
  ['of parts of every kind', ['a', { x: [1, null] }, new Date(5), 2n, true]],
  ['of parts that look like marks of the index', ['\0a', '\0{"x":1}', 0]],
])('a place tells a key %s', (_, key) => {
  const index = new PrefixIndex<{ key: () => QueryKey }>()
  const leaf = index.add(key, (above, part) => ({ key: () => keyAt(above, part) }))
  // What comes and goes beside and below it changes nothing.
  index.add([...key, 'below'], () => leaf)
  index.add([...key.slice(0, -1), 'beside'], () => leaf)
  index.delete([...key, 'below'])
  expect(leaf.key()).toEqual(key)
  expect(hashKey(leaf.key())).toBe(hashKey(key))
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
