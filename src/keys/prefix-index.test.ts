import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hashKey, partialMatch } from './hash-key.ts'
import { PrefixIndex } from './prefix-index.ts'
import type { QueryKey } from './query-key.ts'

/** What the index must be equal to: a list that is scanned. */
class NaiveIndex<V> {
  readonly #entries = new Map<string, { key: QueryKey; value: V }>()

  get size(): number {
    return this.#entries.size
  }

  get(key: QueryKey): V | undefined {
    return this.#entries.get(hashKey(key))?.value
  }

  set(key: QueryKey, value: V): void {
    this.#entries.set(hashKey(key), { key, value })
  }

  delete(key: QueryKey): boolean {
    return this.#entries.delete(hashKey(key))
  }

  under(prefix: QueryKey): V[] {
    return [...this.#entries.values()]
      .filter(({ key }) => partialMatch(key, prefix))
      .map(({ value }) => value)
  }
}

/** Few different parts, so that keys meet, and all of those that could be taken for one another. */
const part = fc.constantFrom<QueryKey[number]>(
  'a',
  'b',
  1,
  '1',
  1n,
  true,
  null,
  0,
  -0,
  Number.POSITIVE_INFINITY,
  { x: 1 },
  { y: 2, x: 1 },
  { x: 1, y: 2 },
  ['a'],
  new Date(1),
  '\0D1',
  '\0{"x":1}',
  '\0',
  '\0"\0',
)
const key = fc.array(part, { maxLength: 4 })
const step = fc.oneof(
  fc.record({ do: fc.constant('set' as const), key }),
  fc.record({ do: fc.constant('delete' as const), key }),
  fc.record({ do: fc.constant('under' as const), key }),
)

describe('PrefixIndex', () => {
  it('does what a scanned list does', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const index = new PrefixIndex<{ n: number }>()
        const naive = new NaiveIndex<{ n: number }>()
        for (const [n, { do: what, key }] of steps.entries()) {
          const value = { n }
          if (what === 'set') {
            index.add(key, () => value)
            naive.set(key, value)
          }
          if (what === 'delete') expect(index.delete(key)).toBe(naive.delete(key))
          if (what === 'under') expect(new Set(index.under(key))).toEqual(new Set(naive.under(key)))
          expect(index.get(key)).toBe(naive.get(key))
          expect(index.size).toBe(naive.size)
        }
        expect(new Set(index.under([]))).toEqual(new Set(naive.under([])))
        expect(index.under([])).toHaveLength(naive.size)
      }),
      { numRuns: 500 },
    )
  })

  it('gives a list that later changes do not touch', () => {
    const index = new PrefixIndex<object>()
    index.add(['a'], () => ({}))
    const found = index.under([])
    index.clear()
    expect([found.length, index.size, index.get(['a']), index.under([])]).toEqual([1, 0, undefined, []])
  })

  it('leaves nothing behind where a part is invalid', () => {
    const index = new PrefixIndex<object>()
    expect(() => index.add(['a', 'b', Number.NaN], () => ({}))).toThrow('key[2] is NaN')
    expect([index.size, index.under(['a'])]).toEqual([0, []])
  })

  it.each([
    [['absent', Number.NaN], 'key[1] is NaN'],
    [[undefined], 'key[0] is undefined'],
    [new Array(2), 'key[0] is undefined'],
    ['text', 'expected an array'],
  ])('refuses to look for an invalid key, also where nothing like it is held: %j', (bad, text) => {
    const index = new PrefixIndex<object>()
    index.add(['x'], () => ({}))
    for (const call of [() => index.get(bad as never), () => index.under(bad as never)])
      expect(call).toThrow(text as string)
    expect(index.size).toBe(1)
  })

  it('finds ten under a prefix without looking at the rest', () => {
    const index = new PrefixIndex<object>()
    let looks = 0
    const counted = (n: number) => ({
      get [Symbol.toStringTag]() {
        looks++
        return String(n)
      },
    })
    for (let n = 0; n < 10_000; n++) index.add(['user', Math.floor(n / 10), n], () => counted(n))
    expect(index.under(['user', 500])).toHaveLength(10)
    expect(looks).toBe(0)
  })
})
