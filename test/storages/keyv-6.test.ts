/**
 * Keyv 6 needs Node 22.19, which the development dependencies must not: where it is installed beside them, as
 * `keyv-6` or as what the variable `KEYV_6` names, these tests run; otherwise they are listed as skipped.
 */

import { describe, expect, it, test } from 'vitest'
import { fromKeyv, type KeyvLike, toKeyvStore } from '../../src/storages/interop/index.ts'
import { MemoryStorage } from '../../src/storages/memory/index.ts'
import { storageSuite } from '../../src/testing/index.ts'

interface Keyv6 extends KeyvLike {
  set(key: string, value: unknown, ttl?: number): Promise<boolean>
  readonly store: KeyvLike
  clear(): Promise<void>
  has(key: string): Promise<boolean>
  getMany(keys: string[]): Promise<unknown[]>
  setMany(entries: { key: string; value: unknown; ttl?: number }[]): Promise<boolean[]>
  deleteMany(keys: string[]): Promise<boolean[]>
  iterator(): AsyncIterable<[string, unknown]>
  on(event: string, listener: (error: unknown) => void): unknown
}

const specifier = process.env['KEYV_6'] ?? 'keyv-6'
const keyv6 = (await import(specifier).catch(() => undefined)) as
  | { Keyv: new (options?: object) => Keyv6 }
  | undefined

describe.skipIf(keyv6 === undefined)(
  'Keyv 6 (skipped where it is not installed: it needs Node 22.19)',
  () => {
    const create = (options?: object) => new keyv6!.Keyv(options)

    describe('as a storage', () => {
      storageSuite({
        test,
        capabilities: ['getMany', 'setMany', 'deleteMany', 'close', 'reopen'],
        create: () => {
          const keyv = create()
          return { storage: fromKeyv(keyv), reopen: () => fromKeyv(keyv) }
        },
      })
    })

    describe('its bare adapter as a storage', () => {
      storageSuite({
        test,
        capabilities: ['getMany', 'setMany', 'deleteMany', 'close', 'reopen'],
        create: () => {
          const { store } = create()
          return { storage: fromKeyv(store), reopen: () => fromKeyv(store) }
        },
      })
    })

    it('uses a storage as its store: values, batches, iteration, clearing by namespace', async () => {
      const memory = new MemoryStorage()
      const one = create({ store: toKeyvStore(memory), namespace: 'one' })
      const two = create({ store: toKeyvStore(memory), namespace: 'two' })
      await one.set('a', { x: 1 })
      await two.set('a', 2)
      expect(await one.setMany([{ key: 'b', value: 3, ttl: 60_000 }])).toEqual([true])
      expect(await one.getMany(['b', 'none', 'a'])).toEqual([3, undefined, { x: 1 }])
      expect([await one.has('a'), await one.has('none')]).toEqual([true, false])
      const seen = new Map<string, unknown>()
      for await (const [key, value] of one.iterator()) seen.set(key, value)
      expect(seen).toEqual(
        new Map<string, unknown>([
          ['a', { x: 1 }],
          ['b', 3],
        ]),
      )
      expect([await one.delete('b'), await one.delete('none')]).toEqual([true, false])
      await one.clear()
      expect([await one.get('a'), await two.get('a')]).toEqual([undefined, 2])
    })

    it('rejects what it swallows, with and without a listener to its errors', async () => {
      for (const hasListener of [true, false]) {
        const reason = hasListener ? 'it reported an error' : 'closed'
        const memory = new MemoryStorage()
        const keyv = create({ store: toKeyvStore(memory) })
        if (hasListener) keyv.on('error', () => {})
        const storage = fromKeyv(keyv)
        await storage.set('a', '1')
        expect(await storage.get('a')).toBe('1')
        await memory.close()
        await expect(storage.get('a')).rejects.toThrow(reason)
        await expect(storage.set('a', '1')).rejects.toThrow(reason)
        await expect(storage.delete('a')).rejects.toThrow(reason)
        await expect(storage.getMany?.(['a'])).rejects.toThrow(reason)
        await expect(storage.setMany?.([{ key: 'a', value: '1' }])).rejects.toThrow(reason)
        await expect(storage.deleteMany?.(['a'])).rejects.toThrow(reason)
      }
    })
  },
)
