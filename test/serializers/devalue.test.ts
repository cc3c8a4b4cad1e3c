import * as devalue from 'devalue'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { InvalidOptionError, MissingDriverError, NotSerializableError } from '../../src/errors.ts'
import { devalueSerializer } from '../../src/serializers/devalue/index.ts'

class Money {
  readonly amount: number
  constructor(amount: number) {
    this.amount = amount
  }
}
class Price extends Money {}
class Registry extends Map {}

const serializer = devalueSerializer(devalue, {
  types: {
    Money: {
      encode: (value) => value instanceof Money && !(value instanceof Price) && [value.amount],
      decode: (data) => new Money((data as [number])[0]),
    },
  },
})
const trip = (value: unknown): unknown => serializer.parse(serializer.stringify(value))

describe('devalue carries', () => {
  test.each<[string, unknown]>([
    ['Dates', [new Date(5), new Date(-1)]],
    [
      'Maps and Sets, in each other and as keys',
      new Map<unknown, unknown>([[new Set([1]), new Map([['a', 1]])]]),
    ],
    ['bigints', [0n, -(2n ** 70n)]],
    ['undefined in arrays and properties', [undefined, { a: undefined }]],
    ['NaN, the infinities and -0', [Number.NaN, Infinity, -Infinity, -0, 0]],
    ['typed arrays', [new Uint8Array([1]), new Float64Array([-0, Number.NaN]), new BigInt64Array([-1n])]],
    ['buffers and views', [new Uint8Array([1, 2]).buffer, new DataView(new ArrayBuffer(2))]],
    ['regular expressions', [/a"b\n/giu, /(?<x>y)/]],
    ['URLs', { url: new URL('https://é.example/?q=%20#x'), params: new URLSearchParams('a=1&a=2') }],
    ['sparse arrays', Object.assign(new Array(4), { 0: 1, 2: 3 })],
    ['a very sparse array', Object.assign([], { 100000: 1 })],
    ['objects without a prototype', Object.assign(Object.create(null), { a: 1 })],
    ['lone surrogates', ['\ud800', { '\udfff': 1 }]],
    ['names that JavaScript knows', { prototype: 1, toString: 2, hasOwnProperty: 3 }],
    ["the user's types", { price: new Money(5), all: new Set([new Money(1)]) }],
  ])('%s', (_what, value) => {
    expect(trip(value)).toStrictEqual(value)
  })

  test('cycles, and one object in two places as one', () => {
    const node: Record<string, unknown> = { name: 'node' }
    node['self'] = node
    node['map'] = new Map([[node, new Set([node])]])
    const back = trip(node) as typeof node
    expect(back['self']).toBe(back)
    expect((back['map'] as Map<unknown, Set<unknown>>).get(back)?.has(back)).toBe(true)
    const shared = { a: 1 }
    const [one, two] = trip([shared, shared]) as object[]
    expect(one).toBe(two)
  })

  test('a property named constructor', () => {
    const back = trip({ constructor: { prototype: { polluted: true } } })
    expect(JSON.stringify(back)).toBe('{"constructor":{"prototype":{"polluted":true}}}')
    expect({}).not.toHaveProperty('polluted')
  })

  test('an invalid Date as one', () => {
    expect(Number.isNaN((trip(new Date(Number.NaN)) as Date).getTime())).toBe(true)
  })

  test('of a view its own part alone, and nothing else of the buffer', () => {
    const pool = new TextEncoder().encode('secret+public+secret')
    const text = serializer.stringify({ part: pool.subarray(7, 13) })
    const { part } = serializer.parse(text) as { part: Uint8Array }
    expect(new TextDecoder().decode(part)).toBe('public')
    expect(part.buffer.byteLength).toBe(6)
    expect(text.length).toBeLessThan(80)
  })
})

const refusals: [what: string, value: unknown, path: string, message: string][] = [
  ['a function', { a: [() => 1] }, '.a[0]', 'function'],
  ['a symbol', { a: Symbol('x') }, '.a', 'ymbol'],
  ['a promise', { a: Promise.resolve() }, '.a', 'romise'],
  ['a class instance', { a: { b: new Price(1) } }, '.a.b', 'an instance of Price'],
  ['one in a Map', { m: new Map([['k', new Price(1)]]) }, '.m.get("k")', 'an instance of Price'],
  ['one as a key of a Map', new Map([[new Price(1), 1]]), '.keys()', 'an instance of Price'],
  ['one in a Set', [new Set([1, new Price(1)])], '[0].values()[1]', 'an instance of Price'],
  ['an Error', { e: new Error('x') }, '.e', ''],
  ['a Buffer', { bytes: Buffer.from('x') }, '.bytes', 'an instance of Buffer'],
  ['a subclass of Map', { r: new Registry() }, '.r', 'an instance of Registry'],
  ['a subclass of Array', [new (class List extends Array {})()], '[0]', 'an instance of List'],
  ['an array with properties', { m: /b/.exec('abc') }, '.m', 'an array with properties of its own'],
  [
    'a Date with properties',
    { d: Object.assign(new Date(0), { zone: 1 }) },
    '.d',
    'with properties of its own',
  ],
  ['a property by a symbol', { o: { [Symbol('x')]: 1 } }, '.o', 'symbolic keys'],
  ['__proto__', JSON.parse('{"a":{"__proto__":1}}'), '.a', '__proto__'],
]

describe('devalue refuses what would come back changed, with the path', () => {
  test.each(refusals)('%s', (_what, value, path, message) => {
    let thrown: unknown
    try {
      serializer.stringify(value)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(NotSerializableError)
    expect((thrown as NotSerializableError).path).toBe(path)
    expect((thrown as NotSerializableError).message).toContain(message)
  })

  test('what is nested too deep for the stack', () => {
    let value: unknown = 1
    for (let i = 0; i < 100_000; i++) value = [value]
    expect(() => serializer.stringify(value)).toThrow(NotSerializableError)
  })
})

test('a type that the reader does not know is an error, and no prototype can be reached', () => {
  const text = serializer.stringify(new Money(1))
  expect(() => devalueSerializer(devalue).parse(text)).toThrow('Unknown type')
  for (const bad of [
    '[{"__proto__":1},{}]',
    '[["null","__proto__",1],{"polluted":1}]',
    '[["constructor",1],1]',
  ])
    expect(() => serializer.parse(bad)).toThrow()
  expect({}).not.toHaveProperty('polluted')
})

test('without the library it says what to install, and what else is wrong with its arguments', () => {
  expect(() => devalueSerializer(undefined as never)).toThrow(MissingDriverError)
  expect(() => devalueSerializer(undefined as never)).toThrow('npm install devalue')
  expect(() => devalueSerializer({} as never)).toThrow(InvalidOptionError)
  expect(() => devalueSerializer(devalue, { types: null as never })).toThrow('Invalid types: null')
  expect(() => devalueSerializer(devalue, { types: { 'a b': {} as never } })).toThrow('"a b"')
  expect(() => devalueSerializer(devalue, { types: { A: { encode: 1 } as never } })).toThrow('types.A')
  const failing = devalueSerializer(devalue, {
    types: {
      A: {
        encode: () => {
          throw new TypeError('mine')
        },
        decode: (data) => data,
      },
    },
  })
  expect(() => failing.stringify({})).toThrow(new TypeError('mine'))
})

test('whatever is made of what it carries comes back equal, types included', () => {
  const anything = fc.anything({
    withBigInt: true,
    withBoxedValues: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withObjectString: true,
    withSet: true,
    withSparseArray: true,
    withTypedArray: true,
    key: fc.string({ unit: 'binary' }).filter((key) => key !== '__proto__' && key !== 'constructor'),
  })
  fc.assert(
    fc.property(anything, (value) => {
      expect(trip([value])).toStrictEqual([value])
    }),
    { numRuns: 2_000 },
  )
})
