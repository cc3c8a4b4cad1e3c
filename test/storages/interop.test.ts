import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Keyv } from 'keyv'
import { createStorage, prefixStorage } from 'unstorage'
import fsDriver from 'unstorage/drivers/fs'
import memoryDriver from 'unstorage/drivers/memory'
import { describe, expect, it, test } from 'vitest'
import { InvalidOptionError } from '../../src/errors.ts'
import {
  fromAsyncStorage,
  fromKeyv,
  fromUnstorage,
  toAsyncStorage,
} from '../../src/storages/interop/index.ts'
import { MemoryStorage } from '../../src/storages/memory/index.ts'
import { storageSuite } from '../../src/testing/index.ts'

describe('fromKeyv, a Keyv 5 over a Map', () => {
  storageSuite({
    test,
    capabilities: ['close', 'reopen'],
    create: () => {
      const keyv = new Keyv()
      return { storage: fromKeyv(keyv), reopen: () => fromKeyv(keyv) }
    },
  })
})

describe('fromKeyv, a bare Map', () => {
  storageSuite({
    test,
    capabilities: ['close', 'reopen'],
    create: () => {
      const map = new Map<string, string>()
      return { storage: fromKeyv(map), reopen: () => fromKeyv(map) }
    },
  })
})

describe.each(['Storage', 'driver'])('fromUnstorage, the memory driver as a %s', (kind) => {
  storageSuite({
    test,
    capabilities: [
      ...(kind === 'Storage' ? (['getMany', 'setMany'] as const) : []),
      'keys',
      'close',
      'reopen',
    ],
    create: () => {
      const driver = memoryDriver()
      const storage = kind === 'Storage' ? createStorage({ driver }) : driver
      return {
        storage: fromUnstorage(storage),
        reopen: () => fromUnstorage(storage),
        cleanup: () => driver.dispose?.(),
      }
    },
  })
})

describe('fromUnstorage, the fs driver', () => {
  storageSuite({
    test,
    capabilities: ['getMany', 'setMany', 'keys', 'close', 'reopen'],
    create: async () => {
      const base = await mkdtemp(join(tmpdir(), 'unstorage-'))
      const open = () => fromUnstorage(createStorage({ driver: fsDriver({ base }) }))
      return { storage: open(), reopen: open, cleanup: () => rm(base, { recursive: true }) }
    },
  })
})

describe('fromAsyncStorage', () => {
  storageSuite({
    test,
    capabilities: ['close', 'reopen'],
    create: () => {
      const map = new Map<string, string>()
      const webStorage = {
        getItem: (key: string) => map.get(key) ?? null,
        setItem: (key: string, value: string) => void map.set(key, value),
        removeItem: (key: string) => void map.delete(key),
      }
      return { storage: fromAsyncStorage(webStorage), reopen: () => fromAsyncStorage(webStorage) }
    },
  })
})

describe('there and back again', () => {
  it('an AsyncStorage over a MemoryStorage passes as a storage', async () => {
    const storage = fromAsyncStorage(toAsyncStorage(new MemoryStorage()))
    await storage.set('a/b', '\ud83e"', 3_600_000)
    expect(await storage.get('a/b')).toBe('\ud83e"')
  })
})

describe('fromKeyv', () => {
  const away = () => {
    throw new Error('the store is away')
  }

  it.each(['get', 'set', 'delete'] as const)(
    'rejects where a Keyv swallows a failure of %s',
    async (name) => {
      const map = new Map<string, string>()
      const store = {
        get: (key: string) => map.get(key),
        set: (key: string, value: string) => map.set(key, value),
        delete: (key: string) => map.delete(key),
        clear: () => map.clear(),
      }
      const keyv = new Keyv({ store })
      keyv.on('error', () => {})
      const storage = fromKeyv(keyv)
      await storage.set('a', '1')
      await storage.delete('never:set')
      store[name] = away
      await expect((async () => storage[name]('a', '1'))()).rejects.toThrow('away')
    },
  )

  it('rejects where a bare adapter emits its failure and answers as if nothing were there', async () => {
    const listeners = new Set<(error: unknown) => void>()
    const fail = () => {
      for (const listener of listeners) listener(new Error('connection lost'))
      return undefined
    }
    const adapter = {
      on: (_: string, listener: (error: unknown) => void) => listeners.add(listener),
      off: (_: string, listener: (error: unknown) => void) => listeners.delete(listener),
      get: fail,
      set: fail,
      delete: fail,
    }
    const storage = fromKeyv(adapter)
    await expect(storage.get('a')).rejects.toMatchObject({ code: 'STORAGE_FAILED' })
    await expect(storage.set('a', '1')).rejects.toThrow('connection lost')
    await expect(storage.delete('a')).rejects.toThrow('connection lost')
    await storage.close?.()
    expect(listeners.size).toBe(0)
  })

  it('keeps to the namespace, the serializer and the compression of the Keyv', async () => {
    const map = new Map<string, string>()
    const storage = fromKeyv(new Keyv({ store: map, namespace: 'mine' }))
    await storage.set('a:b', '1')
    expect([...map.keys()]).toEqual(['mine:a_3ab'])
  })

  it('reads what others wrote under such a name as a miss, and leaves the Keyv connected on close', async () => {
    const keyv = new Keyv()
    let isDisconnected = false
    keyv.on('disconnect', () => {
      isDisconnected = true
    })
    const storage = fromKeyv(keyv)
    for (const foreign of ['text', 42, { __proto__: null, a: 1 }, null]) {
      await keyv.set('a', foreign)
      expect(await storage.get('a')).toBeNull()
    }
    await storage.close?.()
    expect(isDisconnected).toBe(false)
  })

  it('refuses what is no store', () => {
    expect(() => fromKeyv({} as Map<string, string>)).toThrow(InvalidOptionError)
    expect(() => fromKeyv(null as unknown as Map<string, string>)).toThrow(InvalidOptionError)
  })
})

describe('fromUnstorage', () => {
  it('rejects where a driver resolves with an Error', async () => {
    const driver = {
      getItem: async () => new Error('EACCES'),
      setItem: async () => {},
      removeItem: async () => new Error('EACCES'),
      getKeys: async () => [],
    }
    const storage = fromUnstorage(driver)
    await expect(storage.get('a')).rejects.toThrow('EACCES')
    await expect(storage.delete('a')).rejects.toThrow('EACCES')
  })

  it('reads a value that was cut short as a miss', async () => {
    const driver = memoryDriver()
    const storage = fromUnstorage(driver)
    await storage.set('a', 'a long value')
    const stamped = (await driver.getItem('a')) as string
    await driver.setItem?.('a', stamped.slice(0, -3), {})
    expect(await storage.get('a')).toBeNull()
  })

  it('lists its own keys only, below a mount or a prefix too', async () => {
    const whole = createStorage({ driver: memoryDriver() })
    await whole.setItem('cache:else', { not: 'ours' })
    const storage = fromUnstorage(prefixStorage(whole, 'cache'))
    await storage.set('a:b', '1')
    await storage.set('k'.repeat(450), '2')
    const keys: string[] = []
    for await (const key of storage.keys?.('') ?? []) keys.push(key)
    expect(keys.sort()).toEqual(['a:b', 'k'.repeat(450)])
    expect(await storage.getMany?.(['a:b', 'none', 'k'.repeat(450)])).toEqual(['1', null, '2'])
  })

  it('hands a ttl down in whole seconds, and none that would overflow a timer of the driver', async () => {
    const options: unknown[] = []
    const setItem = (_: string, __: string, given?: object) => void options.push(given)
    const storage = fromUnstorage({ getItem: () => null, setItem, removeItem: () => {}, getKeys: () => [] })
    for (const ttl of [0.5, 1_001, 2_147_483_000, 2 ** 31 - 1, Infinity]) await storage.set('a', '1', ttl)
    expect(options).toEqual([{ ttl: 1 }, { ttl: 2 }, { ttl: 2_147_483 }, {}, {}])
  })

  it('refuses what cannot be written or listed', () => {
    const readOnly = { getItem: () => null, getKeys: () => [] }
    expect(() => fromUnstorage(readOnly)).toThrow('setItem()')
  })
})
