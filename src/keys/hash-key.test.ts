import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hashKey, partialMatch } from './hash-key.ts'
import { ownKey } from './own-key.ts'
import type { KeyPart, QueryKey } from './query-key.ts'

const primitive = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '',
    '1',
    'true',
    'null',
    'D1',
    '1n',
    '[]',
    '{}',
    '\0',
    '"',
    '\\',
    ',',
    '__proto__',
    'Infinity',
  ),
  fc.double({ noNaN: true }),
  fc.integer({ min: -2, max: 2 }),
  fc.bigInt({ min: -2n, max: 2n }),
  fc.boolean(),
  fc.constant(null),
)
const { part } = fc.letrec<{ part: KeyPart }>((tie) => ({
  part: fc.oneof(
    { maxDepth: 3 },
    primitive,
    fc.date({ noInvalidDate: true }),
    fc.array(tie('part'), { maxLength: 3 }),
    fc.dictionary(
      fc.oneof(fc.constantFrom('a', 'b', '__proto__'), fc.string({ unit: 'binary', maxLength: 2 })),
      fc.oneof(tie('part'), fc.constant(undefined)),
      { maxKeys: 3, noNullPrototype: false },
    ),
  ) as fc.Arbitrary<KeyPart>,
}))
const key: fc.Arbitrary<QueryKey> = fc.array(part, { maxLength: 3 })

/** Equality of keys as the documentation says it, without any string. */
function areEqual(a: unknown, b: unknown): boolean {
  if (typeof a !== typeof b) return false
  if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) return a === b
  if (a instanceof Date || b instanceof Date)
    return a instanceof Date && b instanceof Date && a.getTime() === b.getTime()
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const [one, two] = [defined(a), defined(b)]
  return (
    one.length === two.length &&
    one.every(([name, value], i) => name === two[i]?.[0] && areEqual(value, two[i][1]))
  )
}

function defined(value: object): [string, unknown][] {
  const entries = Object.entries(value).filter((entry) => entry[1] !== undefined)
  return Array.isArray(value) ? entries : entries.sort(([a], [b]) => (a < b ? -1 : 1))
}

/** The same key in another shape: properties in another order, undefined ones added, -0 for 0. */
function disguised(value: unknown): unknown {
  if (value === 0) return -0
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Date) return new Date(value)
  if (Array.isArray(value)) return value.map(disguised)
  const entries = Object.entries(value).map(([name, each]) => [name, disguised(each)] as const)
  return Object.fromEntries([['zzz', undefined], ...entries.reverse()])
}

describe('hashKey', () => {
  it('gives equal keys equal strings, whatever their shape', () => {
    fc.assert(
      fc.property(key, (one) => {
        expect(hashKey(disguised(one) as QueryKey)).toBe(hashKey(one))
        expect(hashKey(ownKey(one))).toBe(hashKey(one))
      }),
    )
  })

  it('gives different keys different strings', () => {
    fc.assert(
      fc.property(key, key, (one, two) => {
        expect(hashKey(one) === hashKey(two)).toBe(areEqual(one, two))
      }),
      { numRuns: 2_000 },
    )
  })

  it('tells keys apart that differ in one part only', () => {
    fc.assert(
      fc.property(key, part, part, (rest, one, two) => {
        expect(hashKey([...rest, one]) === hashKey([...rest, two])).toBe(areEqual(one, two))
        expect(hashKey([{ a: one }]) === hashKey([{ a: two }])).toBe(areEqual(one, two))
        expect(hashKey([[one], two]) === hashKey([[one, two]])).toBe(false)
      }),
      { numRuns: 500 },
    )
  })

  it('prints keys in one stable form, which L2 keeps for years', () => {
    const given: QueryKey = [
      'user',
      7,
      -0,
      true,
      null,
      9n,
      new Date(5),
      { b: [1], a: undefined, c: 'ü"\n' },
      [],
    ]
    expect(hashKey(given)).toBe('["user",7,0,true,null,9n,D5,{"b":[1],"c":"ü\\"\\n"},[]]')
    expect(hashKey([])).toBe('[]')
  })

  it('takes objects without prototype and of another realm', async () => {
    const { runInNewContext } = await import('node:vm')
    const bare = Object.assign(Object.create(null), { a: 1 }) as { a: number }
    expect(hashKey([bare])).toBe('[{"a":1}]')
    expect(hashKey([runInNewContext('({ a: 1 })') as { a: number }])).toBe('[{"a":1}]')
  })

  it.each<[string, unknown, string]>([
    ['NaN inside', ['a', { b: [Number.NaN] }], 'key[1].b[0] is NaN'],
    ['a named function', [function named() {}], 'key[0] is a function (named)'],
    ['a Set', [new Set()], 'key[0] is a Set instance'],
    ['an object of a class without constructor', [Object.create({ constructor: undefined })], 'key[0] is a '],
    ['a boxed string', [Object('text')], 'key[0] is a String instance'],
    ['null as the key', null, 'Invalid query key null'],
    ['an object as the key', { a: 1 }, 'expected an array'],
  ])('refuses %s', (_, bad, text) => {
    expect(() => hashKey(bad as QueryKey)).toThrow(text)
  })
})

describe('partialMatch', () => {
  it('says whether a key begins with the parts of a prefix', () => {
    fc.assert(
      fc.property(key, fc.array(part, { maxLength: 2 }), (prefix, rest) => {
        expect(partialMatch([...prefix, ...rest], disguised(prefix) as QueryKey)).toBe(true)
        expect(partialMatch([], prefix)).toBe(prefix.length === 0)
      }),
    )
  })

  it('compares whole parts, not texts', () => {
    expect(partialMatch(['user', 12], ['user', 1])).toBe(false)
    expect(partialMatch(['users'], ['user'])).toBe(false)
    expect(partialMatch(['a', { x: 1, y: 2 }], ['a', { x: 1 }])).toBe(false)
    expect(partialMatch(['a', '1'], ['a', 1])).toBe(false)
  })

  it('refuses invalid keys and prefixes, holes included', () => {
    expect(() => partialMatch('a' as never, [])).toThrow('expected an array')
    expect(() => partialMatch([], 'a' as never)).toThrow('expected an array')
    expect(() => partialMatch(['a'], new Array(1))).toThrow('key[0] is undefined')
  })
})

describe('ownKey', () => {
  it('shares nothing with the key that can be changed, and cannot be changed where it is deep', () => {
    const given = ['a', { list: [{ n: 1 }], at: new Date(1), gone: undefined }] as const
    const own = ownKey(given) as typeof given
    expect(own).toEqual(['a', { list: [{ n: 1 }], at: new Date(1) }])
    expect(own[1]).not.toBe(given[1])
    expect(own[1].list[0]).not.toBe(given[1].list[0])
    expect(own[1].at).not.toBe(given[1].at)
    expect(() => Object.assign(own[1].list[0], { n: 2 })).toThrow(TypeError)
  })
})
