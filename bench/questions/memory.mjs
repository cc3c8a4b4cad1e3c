/**
 * Bytes per entry beyond key and data, at 100,000 entries, and for some how they grow. What keys and data alone take, held in two arrays, is measured
 * in the same process and taken away; what counts as a key is what the library is called with.
 */

import assert from 'node:assert/strict'

const TTL = 3_600_000
/** A slot of an array. */
const SLOT = 8

const arrayKey = (i) => ['user', i]
const stringKey = (i) => `user:${i}`
const dataOf = (i) => ({ id: i, name: `Name of ${i}` })

function heapUsed() {
  for (let i = 0; i < 4; i++) globalThis.gc()
  return process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers
}

/** `open(entries)` → `{ put(key, data), get(key), close? }`, with room for so many. */
const weighed = (keyOf, open) => (entries) => async () => {
  const warm = await open(entries)
  for (let i = 0; i < 1_000; i++) await warm.put(keyOf(i), dataOf(i))
  return {
    n: entries,
    async round() {
      const empty = heapUsed()
      let keys = Array.from({ length: entries }, (_, i) => keyOf(i))
      // A concatenated string is a tree until it is used as a key.
      if (typeof keys[0] === 'string') new Set(keys).clear()
      let data = Array.from({ length: entries }, (_, i) => dataOf(i))
      const own = heapUsed() - empty - 2 * SLOT * entries
      keys = data = undefined
      const before = heapUsed()
      const cache = await open(entries)
      for (let i = 0; i < entries; i++) await cache.put(keyOf(i), dataOf(i))
      const used = heapUsed() - before
      for (const i of [0, entries / 2, entries - 1]) assert.deepEqual(await cache.get(keyOf(i)), dataOf(i))
      await cache.close?.()
      // In nanoseconds a byte each, as far as the harness is concerned.
      return { ms: (used - own) / 1e6, 'bytes with key and data': Math.round(used / entries) }
    },
  }
}

const LIBRARIES = {
  'floor: Map of { data, t }': weighed(stringKey, () => {
    const map = new Map()
    return {
      put: (key, data) => void map.set(key, { data, t: Date.now() }),
      get: (key) => map.get(key)?.data,
    }
  }),
  'stackquery, fetched': weighed(arrayKey, async (entries) => {
    const { QueryClient } = await import('stackquery')
    const client = new QueryClient({ staleTime: TTL, cacheMaxSize: entries })
    return {
      put: (queryKey, data) => client.fetchQuery({ queryKey, queryFn: () => data }),
      get: (key) => client.getQueryData(key),
      close: () => client.close(),
    }
  }),
  'stackquery, fetched, one queryFn for all': weighed(arrayKey, async (entries) => {
    const { QueryClient } = await import('stackquery')
    const client = new QueryClient({ staleTime: TTL, cacheMaxSize: entries })
    const queryFn = ({ queryKey: [, i] }) => dataOf(i)
    return {
      put: (queryKey) => client.fetchQuery({ queryKey, queryFn }),
      get: (key) => client.getQueryData(key),
      close: () => client.close(),
    }
  }),
  'stackquery, set': weighed(arrayKey, async (entries) => {
    const { QueryClient } = await import('stackquery')
    const client = new QueryClient({ staleTime: TTL, cacheMaxSize: entries })
    return {
      put: (queryKey, data) => void client.setQueryData(queryKey, data),
      get: (key) => client.getQueryData(key),
      close: () => client.close(),
    }
  }),
  'tanstack, fetched': weighed(arrayKey, async () => {
    const { QueryClient } = await import('@tanstack/query-core')
    const client = new QueryClient({ defaultOptions: { queries: { staleTime: TTL } } })
    return {
      put: (queryKey, data) => client.fetchQuery({ queryKey, queryFn: () => data }),
      get: (key) => client.getQueryData(key),
      close: () => client.clear(),
    }
  }),
  'lru-cache': weighed(stringKey, async (entries) => {
    const { LRUCache } = await import('lru-cache')
    const cache = new LRUCache({ max: entries, ttl: TTL })
    return { put: (key, data) => void cache.set(key, data), get: (key) => cache.get(key) }
  }),
  'async-cache-dedupe': weighed(stringKey, async (entries) => {
    const { createCache } = await import('async-cache-dedupe')
    const cache = createCache({
      ttl: TTL / 1000,
      storage: { type: 'memory', options: { size: entries } },
    })
    let data
    cache.define('load', async () => data)
    return {
      put(key, given) {
        data = given
        return cache.load(key)
      },
      get: (key) => cache.load(key),
    }
  }),
  'layered-loader': weighed(stringKey, async (entries) => {
    const { ManualCache } = await import('layered-loader')
    const cache = new ManualCache({
      inMemoryCache: { cacheType: 'lru-object', maxItems: entries, ttlInMsecs: TTL },
    })
    return { put: (key, data) => cache.set(key, data), get: (key) => cache.getInMemoryOnly(key) }
  }),
  bentocache: weighed(stringKey, async (entries) => {
    const { BentoCache, bentostore } = await import('bentocache')
    const { memoryDriver } = await import('bentocache/drivers/memory')
    const store = bentostore().useL1Layer(memoryDriver({ maxItems: entries, serialize: false }))
    const bento = new BentoCache({ default: 'memory', stores: { memory: store } })
    return {
      put: (key, value) => bento.set({ key, value, ttl: TTL }),
      get: (key) => bento.get({ key }),
    }
  }),
  cacheable: weighed(stringKey, async (entries) => {
    const { Cacheable, createKeyv } = await import('cacheable')
    const cache = new Cacheable({ primary: createKeyv({ useClone: false, lruSize: entries }), ttl: TTL })
    return { put: (key, data) => cache.set(key, data), get: (key) => cache.get(key) }
  }),
}

/** Those whose growth is looked at. */
const GROWING = [
  'floor: Map of { data, t }',
  'stackquery, fetched, one queryFn for all',
  'stackquery, set',
  'tanstack, fetched',
  'lru-cache',
]

const among = (entries, names) => Object.fromEntries(names.map((name) => [name, LIBRARIES[name](entries)]))

export const question = {
  name: 'memory',
  title: 'Memory per entry beyond key and data',
  unit: 'entry',
  column: 'bytes per entry',
  show: (bytes) => String(Math.round(bytes)),
  rounds: (pace) => (pace.isQuick ? 1 : 3),
  isCold: true,
  execArgv: ['--max-old-space-size=6144'],
  cases: {
    '10,000 entries': among(10_000, GROWING),
    '100,000 entries': among(100_000, Object.keys(LIBRARIES)),
    '1,000,000 entries': among(1_000_000, GROWING),
  },
  slowCases: ['1,000,000 entries'],
}
