/** P12 through a real client and its store: what was written comes back equal, or stays in L1 and is reported. */
import * as devalue from 'devalue'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { QueryClient, type QueryKey, type Serializer } from '../../src/index.ts'
import { devalueSerializer } from '../../src/serializers/devalue/index.ts'
import { MemoryStorage } from '../../src/storages/memory/index.ts'

const cleanups: (() => unknown)[] = []
afterAll(async () => {
  for (const cleanup of cleanups) await cleanup()
})

/** A client that writes, and one that has nothing but the store. */
function pair(serializer?: Serializer) {
  const store = new MemoryStorage()
  const reports: unknown[][] = []
  const note = (...all: unknown[]) => void reports.push(all)
  const common = { serializer, logger: { info: note, warn: note, error: note }, staleTime: 60_000 }
  const writer = new QueryClient({ ...common, storage: store })
  const reader = new QueryClient({ ...common, storage: store.connect() })
  cleanups.push(
    () => writer.close({ timeout: 0 }),
    () => reader.close({ timeout: 0 }),
  )
  let made = 0
  const nextKey = (): QueryKey => ['value', ++made]
  const stored = async (key: QueryKey): Promise<unknown> => {
    await writer.flush()
    return reader.getQueryDataAsync(key)
  }
  return { store, writer, reader, reports, nextKey, stored }
}

const nasty = fc.string({ unit: 'binary' })
// `toStrictEqual` takes a property named constructor for the class.
const name = fc
  .oneof(nasty, fc.constantFrom('', 'prototype', 'toString', 'd', 'v', '0'))
  .filter((n) => n !== '__proto__' && n !== 'constructor')
const { value: jsonValue } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 6 },
    fc.constant(null),
    fc.boolean(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0 || 0),
    fc.integer(),
    nasty,
    fc.constantFrom('\ud800', '\udfff\ud800', '__proto__', '\u0000', '\u2028', '"}', '😀'),
    fc.array(tie('value')),
    fc.dictionary(name, tie('value'), { noNullPrototype: true }),
  ),
}))
const nested = fc.tuple(fc.integer({ min: 500, max: 990 }), fc.boolean()).map(([depth, isArray]) => {
  let value: unknown = 'inside'
  for (let i = 0; i < depth; i++) value = isArray ? [value] : { a: value }
  return value
})

test('any value that JSON can carry comes back equal', async () => {
  const { writer, reports, nextKey, stored } = pair()
  await fc.assert(
    fc.asyncProperty(
      fc.oneof({ weight: 20, arbitrary: jsonValue }, { weight: 1, arbitrary: nested }),
      async (value) => {
        const key = nextKey()
        writer.setQueryData(key, value)
        expect(await stored(key)).toStrictEqual(value)
      },
    ),
    { numRuns: 400 },
  )
  expect(reports).toEqual([])
})

const cycle = (): unknown => {
  const all: unknown[] = []
  all.push(all)
  return { all }
}
class Instance {}
const uncarried = fc.constantFrom<() => unknown>(
  () => new Date(0),
  () => new Map(),
  () => new Set([1]),
  () => 1n,
  () => Number.NaN,
  () => Number.NEGATIVE_INFINITY,
  () => -0,
  () => new Instance(),
  () => new Uint8Array(2),
  () => /x/,
  () => new URL('https://example.com'),
  () => () => 1,
  () => Symbol('x'),
)
const steps = fc.array(fc.oneof(fc.constantFrom('a', 'b', 'x y'), fc.integer({ min: 0, max: 3 })), {
  maxLength: 6,
})

/** `inside` at the end of the steps, with carriable values around. */
function wrapped(inside: unknown, path: (string | number)[], around: unknown): unknown {
  return path.reduceRight<unknown>(
    (value, step) =>
      typeof step === 'number'
        ? [...Array(step).fill(around), value, around]
        : { before: around, [step]: value },
    inside,
  )
}
const written = (path: (string | number)[]) =>
  path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('')

describe('a value with anything that JSON cannot carry', () => {
  test('stays in L1 with one report of the path, and L2 has neither it nor what was there before', async () => {
    const { store, writer, reader, reports, nextKey, stored } = pair()
    await fc.assert(
      fc.asyncProperty(uncarried, steps, jsonValue, async (make, path, around) => {
        reports.length = 0
        const key = nextKey()
        writer.setQueryData(key, { old: true })
        await writer.flush()
        expect(await reader.getQueryDataAsync(key)).toEqual({ old: true })
        reader.clear()

        const value = { data: wrapped(make(), path, around) }
        writer.setQueryData(key, value)
        expect(await stored(key)).toBeUndefined()
        expect(writer.getQueryData(key)).toBe(value)
        expect(reports).toEqual([
          [
            expect.stringContaining('stays in L1'),
            expect.objectContaining({ path: `.data${written(path)}` }),
          ],
        ])
        for await (const storageKey of store.keys('sq:d:')) expect(storageKey).not.toContain(`,${key[1]}]`)
      }),
      { numRuns: 150 },
    )
  })

  test.each<[string, () => unknown, string]>([
    ['a cycle', () => cycle(), '.all[0]'],
    ['undefined in an array', () => ({ list: [1, undefined] }), '.list[1]'],
    ['10,000 levels', () => JSON.parse('['.repeat(10_000) + ']'.repeat(10_000)), '[0]'.repeat(1_000)],
  ])('%s too', async (_what, make, path) => {
    const { writer, reports, nextKey, stored } = pair()
    const key = nextKey()
    writer.setQueryData(key, make())
    expect(await stored(key)).toBeUndefined()
    expect(reports).toEqual([
      [expect.any(String), expect.objectContaining({ code: 'NOT_SERIALIZABLE', path })],
    ])
    expect(writer.stats().storage).toMatchObject({ unserializable: 1, pending: 0 })
  })

  test('comes back when it can be carried again', async () => {
    const { writer, nextKey, stored } = pair()
    const key = nextKey()
    writer.setQueryData(key, new Date(0))
    expect(await stored(key)).toBeUndefined()
    writer.setQueryData(key, 'text')
    expect(await stored(key)).toBe('text')
  })
})

test('with devalue any value of the built-in types comes back equal', async () => {
  const { writer, reports, nextKey, stored } = pair(devalueSerializer(devalue))
  const anything = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withSparseArray: true,
    withTypedArray: true,
    key: name,
  })
  await fc.assert(
    fc.asyncProperty(anything, async (value) => {
      const key = nextKey()
      writer.setQueryData(key, { value })
      expect(await stored(key)).toStrictEqual({ value })
    }),
    { numRuns: 200 },
  )
  expect(reports).toEqual([])
})

test('with devalue a value that it cannot carry stays in L1 with one report of the path', async () => {
  const { writer, reports, nextKey, stored } = pair(devalueSerializer(devalue))
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom<() => unknown>(
        () => () => 1,
        () => new Instance(),
        () => Buffer.from('x'),
      ),
      steps.map((path) => path.filter((step) => step !== 'x y')),
      async (make, path) => {
        reports.length = 0
        const key = nextKey()
        writer.setQueryData(key, { data: wrapped(make(), path, new Date(0)) })
        expect(await stored(key)).toBeUndefined()
        expect(reports).toEqual([
          [expect.any(String), expect.objectContaining({ path: `.data${written(path)}` })],
        ])
      },
    ),
    { numRuns: 100 },
  )
})
