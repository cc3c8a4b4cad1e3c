/**
 * A fresh hit among 1,000 to 1,000,000 entries, each call of another key: what grows is the cache, and with it the misses of
 * the processor's own.
 */

import assert from 'node:assert/strict'

const TTL = 3_600_000
/** Far from the last, and every key in its turn. */
const STRIDE = 7_919

/** `open(entries)` → `{ put(i, data), get(i) }`. */
const among = (entries, open) => async () => {
  const { put, get } = await open(entries)
  for (let i = 0; i < entries; i++) await put(i, { id: i })
  const check = async () => {
    for (const i of [0, entries / 2, entries - 1]) assert.deepEqual(await get(i), { id: i })
  }
  let i = 0
  const once = () => {
    i = (i + STRIDE) % entries
    return get(i)
  }
  return { once, check }
}

const stackquery = async (entries) => {
  const { QueryClient } = await import('stackquery')
  const client = new QueryClient({ staleTime: TTL, cacheMaxSize: entries })
  const queryFn = () => assert.fail('the origin was called')
  return {
    put: (i, data) => void client.setQueryData(['user', i], data),
    get: (i) => client.fetchQuery({ queryKey: ['user', i], queryFn }),
  }
}

const LIBRARIES = {
  'floor: async Map.get': async () => {
    const map = new Map()
    return { put: (i, data) => void map.set(`user:${i}`, data), get: async (i) => map.get(`user:${i}`) }
  },
  'stackquery, fresh options': stackquery,
  'lru-cache': async (entries) => {
    const { LRUCache } = await import('lru-cache')
    const cache = new LRUCache({
      max: entries,
      ttl: TTL,
      fetchMethod: () => assert.fail('the origin was called'),
    })
    return { put: (i, data) => void cache.set(`user:${i}`, data), get: (i) => cache.fetch(`user:${i}`) }
  },
  'tanstack, fresh options': async () => {
    const { QueryClient } = await import('@tanstack/query-core')
    // Infinity: no timer for each entry.
    const client = new QueryClient({
      defaultOptions: { queries: { staleTime: TTL, gcTime: Number.POSITIVE_INFINITY } },
    })
    const queryFn = () => assert.fail('the origin was called')
    return {
      put: (i, data) => void client.setQueryData(['user', i], data),
      get: (i) => client.fetchQuery({ queryKey: ['user', i], queryFn }),
    }
  },
}

const each = (entries) =>
  Object.fromEntries(Object.entries(LIBRARIES).map(([name, open]) => [name, among(entries, open)]))

export const question = {
  name: 'hit-by-size',
  title: 'Fresh hit, by the number of entries',
  unit: 'call',
  execArgv: ['--max-old-space-size=6144'],
  rounds: (pace) => (pace.isQuick ? 3 : 9),
  cases: {
    '1,000 entries': each(1_000),
    '10,000 entries': each(10_000),
    '100,000 entries': each(100_000),
    '1,000,000 entries': each(1_000_000),
  },
  slowCases: ['1,000,000 entries'],
}
