/** Batches and concurrency. May import the suite's own modules. */

import { equal, isMissing, ok, sameList } from './assert.ts'
import type { SuiteTest } from './suite-context.ts'

const MANY = 1_000

const range = (count: number) => Array.from({ length: count }, (_, index) => index)

export const batchTests: readonly SuiteTest[] = [
  {
    name: 'batch: getMany keeps the order, with missing and repeated keys in their places',
    needs: ['getMany'],
    run: async ({ storage }) => {
      await storage.set('a', '1')
      await storage.set('b', '')
      await storage.set('__proto__', '3')
      sameList(
        await storage.getMany(['b', 'none', 'a', 'a', '__proto__', 'b', 'toString']),
        ['', null, '1', '1', '3', '', null],
        'getMany',
      )
      sameList(await storage.getMany([]), [], 'getMany of nothing')
      sameList(await storage.getMany(['none']), [null], 'getMany of one missing')
    },
  },
  {
    name: 'batch: setMany writes all, and of a repeated key the last',
    needs: ['setMany'],
    run: async ({ storage }) => {
      await storage.set('a', 'old')
      await storage.setMany([
        { key: 'a', value: '1' },
        { key: 'b', value: '' },
        { key: 'a', value: '2' },
        { key: 'c:*/..', value: '"3"\n' },
        { key: 'a', value: '4' },
      ])
      for (const [key, value] of [
        ['a', '4'],
        ['b', ''],
        ['c:*/..', '"3"\n'],
      ] as const) {
        equal(await storage.get(key), value, `get of ${key}`)
      }
      await storage.setMany([])
    },
  },
  {
    name: 'batch: deleteMany deletes all, with missing and repeated keys among them',
    needs: ['deleteMany'],
    run: async ({ storage }) => {
      for (const key of ['a', 'b', 'c']) await storage.set(key, key)
      await storage.deleteMany(['a', 'none', 'b', 'a'])
      isMissing(await storage.get('a'), 'get of a')
      isMissing(await storage.get('b'), 'get of b')
      equal(await storage.get('c'), 'c', 'get of c')
      await storage.deleteMany([])
    },
  },
  {
    name: `batch: ${MANY} at once`,
    needs: ['getMany', 'setMany', 'deleteMany'],
    run: async ({ storage }) => {
      const keys = range(MANY).map((index) => `many:${index}`)
      const values = range(MANY).map((index) => `value ${index} `.repeat(1 + (index % 50)))
      await storage.setMany(keys.map((key, index) => ({ key, value: values[index] ?? '' })))
      sameList(await storage.getMany(keys), values, 'getMany')
      sameList(await storage.getMany([...keys].reverse()), [...values].reverse(), 'getMany backwards')
      await storage.deleteMany(keys.slice(1))
      sameList(
        await storage.getMany(keys),
        values.map((value, index) => (index === 0 ? value : null)),
        'getMany after',
      )
    },
  },
]

export const concurrencyTests: readonly SuiteTest[] = [
  {
    name: 'concurrency: parallel writes and reads of many keys do not mix',
    run: async ({ storage }) => {
      await Promise.all(range(200).map(async (index) => storage.set(`key:${index}`, `value ${index}`)))
      const read = await Promise.all(range(200).map(async (index) => storage.get(`key:${index}`)))
      sameList(
        read,
        range(200).map((index) => `value ${index}`),
        'values',
      )
      await Promise.all(range(200).map(async (index) => storage.delete(`key:${index}`)))
      const after = await Promise.all(range(200).map(async (index) => storage.get(`key:${index}`)))
      sameList(
        after,
        range(200).map(() => null),
        'values after deleting',
      )
    },
  },
  {
    name: 'concurrency: a value is read whole, never torn between two writes',
    run: async (context) => {
      const other = await context.other()
      const whole = ['a', 'b', 'c'].map((letter) => letter.repeat(50_000))
      const writes = range(30).map(async (index) => {
        const writer = index % 2 === 0 ? context.storage : other
        await writer.set('torn', whole[index % 3] ?? '')
      })
      const reads = range(30).map(async () => context.storage.get('torn'))
      for (const value of await Promise.all(reads)) {
        ok((value ?? null) === null || whole.includes(value as string), 'a read gave a mixture of two writes')
      }
      await Promise.all(writes)
      ok(
        whole.includes((await context.storage.get('torn')) as string),
        'the last value is a mixture of two writes',
      )
    },
  },
  {
    name: 'concurrency: of awaited writes the last wins, through any handle',
    run: async (context) => {
      const other = await context.other()
      for (const index of range(20)) {
        await context.storage.set('last', `first ${index}`)
        await other.set('last', `second ${index}`)
        equal(await context.storage.get('last'), `second ${index}`, 'get after two writes')
        await context.storage.delete('last')
        isMissing(await other.get('last'), 'get after the delete')
      }
    },
  },
]
