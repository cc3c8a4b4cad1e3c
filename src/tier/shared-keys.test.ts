import { expect, test } from 'vitest'
import { SharedKeys } from './shared-keys.ts'

test.each([[0], [1], [2], [7], [8], [9], [20]])(
  '%i keys, and more, stand where they came, each once',
  (count) => {
    const names = Array.from({ length: 30 }, (_, i) => `k${i}`)
    const first = names.slice(0, count)
    const keys = new SharedKeys()
    for (const name of [...first, ...first]) keys.add(name)
    expect(keys.all).toEqual(first)
    for (const name of [...names, ...names]) keys.add(name)
    expect(keys.all).toEqual(names)
    expect(names.map((name) => keys.placeOf(name))).toEqual(names.map((_, i) => i))
    expect(keys.placeOf('other')).toBe(-1)
  },
)
