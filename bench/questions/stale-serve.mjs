/** A call that finds stale data while its refresh is under way: the old data, at once. */

import { answers } from '../harness/answers.mjs'

const VALUE = { id: 1 }

/** The first call brings the data; the refresh that follows never ends. */
function once(fetch, { pause = 5, sharesRefresh = true } = {}) {
  let calls = 0
  const get = () => (calls++ === 0 ? Promise.resolve(VALUE) : new Promise(() => {}))
  return async () => {
    const ask = await fetch(get)
    await ask()
    await new Promise((resolve) => setTimeout(resolve, pause))
    await ask()
    // Some start the refresh a moment later.
    await new Promise((resolve) => setTimeout(resolve, 20))
    const check = async () => {
      await answers(ask, VALUE)()
      if (sharesRefresh ? calls !== 2 : calls < 2)
        throw new Error(`the origin was called ${calls} times, expected 2`)
    }
    return { once: ask, check }
  }
}

export const question = {
  name: 'stale-serve',
  title: 'Stale data served while it is refreshed',
  unit: 'call',
  cases: {
    'refresh under way': {
      'floor: async Map.get and an age': () => {
        const map = new Map([['user:1', { data: VALUE, at: 0 }]])
        const get = async (key) => {
          const held = map.get(key)
          return Date.now() - held.at > 1 ? held.data : undefined
        }
        const ask = () => get('user:1')
        return { once: ask, check: answers(ask, VALUE) }
      },
      stackquery: once(async (get) => {
        const { QueryClient } = await import('stackquery')
        const client = new QueryClient({ staleTime: 1 })
        return () => client.fetchQuery({ queryKey: ['user', '1'], queryFn: get })
      }),
      'lru-cache (allowStale)': once(async (get) => {
        const { LRUCache } = await import('lru-cache')
        const cache = new LRUCache({ max: 1_000, ttl: 1, allowStale: true, fetchMethod: get })
        return () => cache.fetch('user:1')
      }),
      'async-cache-dedupe (stale)': once(
        async (get) => {
          const { createCache } = await import('async-cache-dedupe')
          const cache = createCache({ ttl: 1, stale: 3_600, storage: { type: 'memory' } })
          cache.define('user', get)
          return () => cache.user('1')
        },
        { pause: 1_100 },
      ),
      'cachified (swr; each call starts a refresh)': once(
        async (get) => {
          const { cachified } = await import('@epic-web/cachified')
          const { LRUCache } = await import('lru-cache')
          const cache = new LRUCache({ max: 1_000 })
          return () => cachified({ cache, key: 'user:1', ttl: 1, swr: 3_600_000, getFreshValue: get })
        },
        { sharesRefresh: false },
      ),
      'bentocache (grace, timeout 0)': once(async (get) => {
        const { BentoCache, bentostore } = await import('bentocache')
        const { memoryDriver } = await import('bentocache/drivers/memory')
        const store = bentostore().useL1Layer(memoryDriver({ maxItems: 1_000, serialize: false }))
        const bento = new BentoCache({ default: 'memory', stores: { memory: store } })
        return () => bento.getOrSet({ key: 'user:1', ttl: 1, grace: '1h', timeout: 0, factory: get })
      }),
    },
  },
}
