import { describe, expect, test } from 'vitest'
import { NotSerializableError } from '../errors.ts'
import { jsonSerializer } from './json-serializer.ts'

class Money {
  readonly amount = 1
}
const cycle: { self?: unknown } = {}
cycle.self = cycle
const nested = (depth: number): unknown => {
  let value: unknown = 1
  for (let i = 0; i < depth; i++) value = [value]
  return value
}

const refusals: [what: string, value: unknown, path: string, message: string | RegExp][] = [
  ['a Date', { at: [new Date(0)] }, '.at[0]', 'data.at[0]: it is an instance of Date'],
  ['a Map', { a: new Map() }, '.a', 'an instance of Map'],
  ['a Set', [1, new Set()], '[1]', 'an instance of Set'],
  ['a class instance', { price: new Money() }, '.price', 'an instance of Money'],
  ['a typed array', { bytes: new Uint8Array(1) }, '.bytes', 'an instance of Uint8Array'],
  ['an Error', { e: new Error('x') }, '.e', 'an instance of Error'],
  ['a RegExp', { re: /x/ }, '.re', 'an instance of RegExp'],
  ['a boxed string', { s: Object('x') }, '.s', 'an instance of String'],
  ['a bigint', { n: 1n }, '.n', 'a bigint'],
  ['NaN', { n: Number.NaN }, '.n', 'NaN'],
  ['Infinity', [Number.POSITIVE_INFINITY], '[0]', 'Infinity'],
  ['-Infinity', [Number.NEGATIVE_INFINITY], '[0]', '-Infinity'],
  ['-0', [-0], '[0]', '-0'],
  ['undefined in an array', { list: [1, undefined] }, '.list[1]', 'undefined'],
  ['a hole', { list: new Array(2) }, '.list[0]', 'undefined'],
  ['an array with properties', { m: /b/.exec('abc') }, '.m', 'an array with properties of its own'],
  ['a function', { f: () => 1 }, '.f', 'a function'],
  ['a symbol', { s: Symbol('x') }, '.s', 'a symbol'],
  ['a property by a symbol', { o: { [Symbol('x')]: 1 } }, '.o', 'an object with symbols'],
  ['a toJSON of its own', { toJSON: () => 1 }, '.toJSON', 'a function'],
  ['a cycle', { a: [cycle] }, '.a[0].self', 'its own ancestors'],
  ['__proto__', JSON.parse('{"a":{"__proto__":1}}'), '.a.__proto__', 'as a prototype'],
  [
    'too many levels',
    nested(1_001),
    '[0]'.repeat(1_000),
    /data(\[0\]){1,100}.*: it is more than 1000 levels/,
  ],
  ['nothing but undefined', undefined, '', 'the data: it is undefined'],
]

describe('JSON refuses what it would change, with the path', () => {
  test.each(refusals)('%s', (_what, value, path, message) => {
    let thrown: unknown
    try {
      jsonSerializer.stringify(value)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(NotSerializableError)
    expect((thrown as NotSerializableError).path).toBe(path)
    expect((thrown as NotSerializableError).message).toMatch(message)
  })
})

describe('JSON carries', () => {
  test.each<[string, unknown]>([
    ['null', null],
    ['0', 0],
    ['an empty string', ''],
    ['lone surrogates', '\ud800 \udfff'],
    ['the largest and smallest numbers', [Number.MAX_VALUE, Number.MIN_VALUE, -1e-7, 2 ** 53]],
    ['1,000 levels', nested(1_000)],
    ['names that JavaScript knows', { constructor: 1, prototype: 2, toString: 3, hasOwnProperty: 4 }],
  ])('%s', (_what, value) => {
    expect(jsonSerializer.parse(jsonSerializer.stringify(value))).toStrictEqual(value)
  })

  test('an undefined property as a missing one, and an object without prototype as a plain one', () => {
    const bare = Object.assign(Object.create(null), { a: 1, b: undefined })
    expect(jsonSerializer.parse(jsonSerializer.stringify(bare))).toStrictEqual({ a: 1 })
  })

  test('one object that is held in two places', () => {
    const shared = { a: 1 }
    expect(jsonSerializer.stringify([shared, { shared }])).toBe('[{"a":1},{"shared":{"a":1}}]')
  })
})
