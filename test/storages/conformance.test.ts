import { describe, test } from 'vitest'
import type { StorageBackend } from '../../src/ports/storage.ts'
import { MemoryStorage } from '../../src/storages/memory/index.ts'
import { ChaosStorage, storageSuite, VirtualClock } from '../../src/testing/index.ts'

const everything = [
  'getMany',
  'setMany',
  'deleteMany',
  'add',
  'keys',
  'feed',
  'lease',
  'renew',
  'close',
] as const

describe('MemoryStorage in real time', () => {
  storageSuite({
    test,
    profile: 'large',
    capabilities: [...everything, 'reopen', 'loseFeed'],
    create: () => {
      const storage = new MemoryStorage()
      return { storage, reopen: () => storage.connect(), loseFeed: () => storage.clear() }
    },
  })
})

describe('MemoryStorage in virtual time', () => {
  storageSuite({
    test,
    capabilities: [...everything, 'advance'],
    create: () => {
      const clock = new VirtualClock()
      return { storage: new MemoryStorage({ clock }), advance: (ms) => clock.advance(ms) }
    },
  })
})

describe('ChaosStorage over MemoryStorage', () => {
  storageSuite({
    test,
    capabilities: [...everything, 'reopen', 'loseFeed', 'cutFeed', 'fail', 'recover'],
    create: () => {
      const memory = new MemoryStorage()
      const storage = new ChaosStorage(memory)
      return {
        storage,
        reopen: () => new ChaosStorage(memory.connect()),
        loseFeed: () => memory.clear(),
        cutFeed: () => storage.fault({ kind: 'delay', delay: [5, 50] }, { operations: ['deliver'] }),
        fail: () => storage.fault({ kind: 'reject' }, { when: ({ operation }) => operation !== 'close' }),
        recover: () => storage.heal(),
      }
    },
  })
})

describe('a bare Map behind three methods', () => {
  storageSuite({
    test,
    create: () => ({ storage: bareMap() }),
  })
})

function bareMap(): StorageBackend {
  const map = new Map<string, { value: string; expiresAt: number }>()
  return {
    get: (key) => {
      const item = map.get(key)
      return item && item.expiresAt > Date.now() ? item.value : undefined
    },
    set: (key, value, ttl = Infinity) => map.set(key, { value, expiresAt: Date.now() + ttl }),
    delete: (key) => map.delete(key),
  }
}
