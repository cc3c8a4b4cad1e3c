/** Writing data by hand and reading it back, 1,000 keys in turn. */

import assert from 'node:assert/strict'

const KEYS = 1_000
const TTL = 3_600_000

const names = Array.from({ length: KEYS }, (_, i) => `user:${i}`)
const keys = Array.from({ length: KEYS }, (_, i) => ['user', i])

/** `set` and `get` of the i-th key; both may be asynchronous. */
function pair(set, get) {
  return {
    once: (i) => set(i % KEYS, { id: i }),
    async check() {
      for (const i of [0, 7, 999]) {
        await set(i, { id: i })
        assert.deepEqual(await get(i), { id: i })
      }
    },
  }
}

/** The reading half: everything is written first. */
function reading(set, get) {
  const { check } = pair(set, get)
  return {
    once: (i) => get(i % KEYS),
    async check() {
      for (let i = 0; i < KEYS; i++) await set(i, { id: i })
      await check()
    },
  }
}

const LIBRARIES = {
  'floor: Map of { data, t }': async () => {
    const map = new Map()
    return [(i, data) => map.set(names[i], { data, t: Date.now() }), (i) => map.get(names[i])?.data]
  },
  stackquery: async () => {
    const { QueryClient } = await import('stackquery')
    const client = new QueryClient({ staleTime: TTL })
    return [(i, data) => client.setQueryData(keys[i], data), (i) => client.getQueryData(keys[i])]
  },
  tanstack: async () => {
    const { QueryClient } = await import('@tanstack/query-core')
    const client = new QueryClient({ defaultOptions: { queries: { staleTime: TTL } } })
    return [(i, data) => client.setQueryData(keys[i], data), (i) => client.getQueryData(keys[i])]
  },
  'lru-cache': async () => {
    const { LRUCache } = await import('lru-cache')
    const cache = new LRUCache({ max: KEYS, ttl: TTL })
    return [(i, data) => cache.set(names[i], data), (i) => cache.get(names[i])]
  },
  'layered-loader': async () => {
    const { ManualCache } = await import('layered-loader')
    const cache = new ManualCache({
      inMemoryCache: { cacheType: 'lru-object', maxItems: KEYS, ttlInMsecs: TTL },
    })
    return [(i, data) => cache.set(names[i], data), (i) => cache.getInMemoryOnly(names[i])]
  },
  bentocache: async () => {
    const { BentoCache, bentostore } = await import('bentocache')
    const { memoryDriver } = await import('bentocache/drivers/memory')
    const store = bentostore().useL1Layer(memoryDriver({ maxItems: KEYS, serialize: false }))
    const bento = new BentoCache({ default: 'memory', stores: { memory: store } })
    return [(i, value) => bento.set({ key: names[i], value, ttl: TTL }), (i) => bento.get({ key: names[i] })]
  },
  cacheable: async () => {
    const { Cacheable, createKeyv } = await import('cacheable')
    const cache = new Cacheable({ primary: createKeyv({ useClone: false, lruSize: KEYS }), ttl: TTL })
    return [(i, data) => cache.set(names[i], data), (i) => cache.get(names[i])]
  },
  'cache-manager': async () => {
    const { createCache } = await import('cache-manager')
    const { createKeyv } = await import('cacheable')
    const cache = createCache({ stores: [createKeyv({ useClone: false, lruSize: KEYS })], ttl: TTL })
    return [(i, data) => cache.set(names[i], data), (i) => cache.get(names[i])]
  },
}

const each = (half) =>
  Object.fromEntries(
    Object.entries(LIBRARIES).map(([name, open]) => [name, async () => half(...(await open()))]),
  )

export const question = {
  name: 'set-and-get',
  title: 'Set and get by hand',
  unit: 'call',
  cases: { set: each(pair), get: each(reading) },
}
