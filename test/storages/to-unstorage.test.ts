import { createStorage, type Driver, prefixStorage } from 'unstorage'
import { describe, expect, it } from 'vitest'
import type { StorageBackend } from '../../src/ports/storage.ts'
import { fromUnstorage, toAsyncStorage, toUnstorageDriver } from '../../src/storages/interop/index.ts'
import { MemoryStorage } from '../../src/storages/memory/index.ts'
import { VirtualClock } from '../../src/testing/index.ts'

describe('toUnstorageDriver', () => {
  const setUp = () => {
    const clock = new VirtualClock()
    const memory = new MemoryStorage({ clock })
    const driver: Driver = toUnstorageDriver(memory)
    return { clock, driver, memory, storage: createStorage({ driver }) }
  }

  it('carries what unstorage stores: objects, text, numbers, bytes', async () => {
    const { storage } = setUp()
    await storage.setItem('a:object', { x: [1, null] })
    await storage.setItem('a/text', 'plain')
    await storage.setItem('n', 42)
    await storage.setItemRaw('bytes', new Uint8Array([0, 255, 10]))
    expect(await storage.getItem('a/object')).toEqual({ x: [1, null] })
    expect(await storage.getItem('a:text')).toBe('plain')
    expect(await storage.getItem('n')).toBe(42)
    expect(new Uint8Array((await storage.getItemRaw('bytes')) as ArrayLike<number>)).toEqual(
      new Uint8Array([0, 255, 10]),
    )
    expect([await storage.hasItem('n'), await storage.hasItem('none')]).toEqual([true, false])
    expect(await storage.getItem('none')).toBeNull()
    expect(await storage.getItems(['a:text', 'none', 'n'])).toEqual([
      { key: 'a:text', value: 'plain' },
      { key: 'none', value: null },
      { key: 'n', value: 42 },
    ])
    await storage.removeItem('n')
    expect(await storage.hasItem('n')).toBe(false)
  })

  it('keeps a ttl given in seconds', async () => {
    const { clock, storage } = setUp()
    await storage.setItem('a', '1', { ttl: 2 })
    await storage.setItem('b', '2')
    await clock.advance(1_999)
    expect(await storage.getItem('a')).toBe(1)
    await clock.advance(1)
    expect([await storage.getItem('a'), await storage.getItem('b')]).toEqual([null, 2])
  })

  it('lists and clears by base, and nothing of the backend besides', async () => {
    const { driver, memory, storage } = setUp()
    await memory.set('sq:e:mine', '1')
    const users = prefixStorage(storage, 'users')
    await users.setItem('1', 'a')
    await users.setItem('2', 'b')
    await storage.setItem('other', 'c')
    await storage.setMeta('other', { owner: 'me' })
    expect((await users.getKeys()).sort()).toEqual(['1', '2'])
    expect((await storage.getKeys()).sort()).toEqual(['other', 'users:1', 'users:2'])
    await driver.clear?.('users:', {})
    expect(await storage.getKeys()).toEqual(['other'])
    await storage.clear()
    expect(await memory.get('sq:e:mine')).toBe('1')
    expect(memory.size).toBe(1)
  })

  it('says what is missing where the backend cannot list, and closes it on dispose', async () => {
    const bare: StorageBackend = { get: () => null, set: () => {}, delete: () => {} }
    const driver = toUnstorageDriver(bare)
    await expect(driver.getKeys()).rejects.toThrow('cannot list the keys: expected a storage with keys()')
    await driver.dispose()
    const { memory, storage } = setUp()
    await storage.dispose()
    await expect(memory.get('a')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
  })

  it('serves a Storage that serves as a storage', async () => {
    const { storage } = setUp()
    const back = fromUnstorage(storage)
    await back.set('a:*/..', '"\0\ud83e', 60_000)
    expect(await back.get('a:*/..')).toBe('"\0\ud83e')
    expect(await back.getMany?.(['none', 'a:*/..'])).toEqual([null, '"\0\ud83e'])
  })
})

describe('toAsyncStorage', () => {
  it('gets, sets, removes and lists below its own prefix', async () => {
    const memory = new MemoryStorage()
    await memory.set('sq:e:mine', '1')
    const storage = toAsyncStorage(memory)
    await storage.setItem('REACT_QUERY_OFFLINE_CACHE', '{}')
    await storage.setItem('b', '')
    expect([await storage.getItem('b'), await storage.getItem('none')]).toEqual(['', null])
    expect(await storage.entries?.()).toEqual([
      ['REACT_QUERY_OFFLINE_CACHE', '{}'],
      ['b', ''],
    ])
    await storage.removeItem('b')
    expect(memory.size).toBe(2)
    const bare: StorageBackend = { get: () => null, set: () => {}, delete: () => {} }
    expect('entries' in toAsyncStorage(bare)).toBe(false)
  })
})
