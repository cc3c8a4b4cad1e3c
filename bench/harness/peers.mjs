/**
 * The peers that cache a function's results in memory, each as its manual writes it and in the fastest of its documented
 * settings (no copies, no serializing in memory). Each call gives what the peer itself returns: no wrapper that would
 * cost a promise. Only the one that is asked for is loaded.
 *
 * `origin(key)` gets the data; `max` entries; `ttl` milliseconds.
 */

export const PEERS = {
  async 'lru-cache'({ origin, max, ttl }) {
    const { LRUCache } = await import('lru-cache')
    const cache = new LRUCache({ max, ttl, fetchMethod: (key) => origin(key) })
    return (key) => cache.fetch(key)
  },

  async 'async-cache-dedupe'({ origin, max, ttl }) {
    const { createCache } = await import('async-cache-dedupe')
    const cache = createCache({ ttl: ttl / 1000, storage: { type: 'memory', options: { size: max } } })
    cache.define('load', (key) => origin(key))
    return (key) => cache.load(key)
  },

  async 'layered-loader'({ origin, max, ttl }) {
    const { Loader } = await import('layered-loader')
    const loader = new Loader({
      inMemoryCache: { cacheType: 'lru-object', maxItems: max, ttlInMsecs: ttl },
      dataSourceGetOneFn: (key) => origin(key),
    })
    return (key) => loader.get(key)
  },

  async bentocache({ origin, max, ttl }) {
    const { BentoCache, bentostore } = await import('bentocache')
    const { memoryDriver } = await import('bentocache/drivers/memory')
    const layer = memoryDriver({ maxItems: max, serialize: false })
    const bento = new BentoCache({ default: 'memory', stores: { memory: bentostore().useL1Layer(layer) } })
    return (key) => bento.getOrSet({ key, ttl, factory: () => origin(key) })
  },

  async cacheable({ origin, max, ttl }) {
    const { Cacheable, createKeyv } = await import('cacheable')
    const cache = new Cacheable({ primary: createKeyv({ useClone: false, lruSize: max }), ttl })
    return (key) => cache.getOrSet(key, () => origin(key))
  },

  async 'cache-manager'({ origin, max, ttl }) {
    const { createCache } = await import('cache-manager')
    const { createKeyv } = await import('cacheable')
    const cache = createCache({ stores: [createKeyv({ useClone: false, lruSize: max })], ttl })
    return (key) => cache.wrap(key, () => origin(key))
  },

  async cachified({ origin, max, ttl }) {
    const { cachified } = await import('@epic-web/cachified')
    const { LRUCache } = await import('lru-cache')
    const cache = new LRUCache({ max })
    return (key) => cachified({ cache, key, ttl, getFreshValue: () => origin(key) })
  },
}

/** `once` for each of the peers, made with what `settings` says of all of them. */
export function peersAs(make) {
  return Object.fromEntries(Object.entries(PEERS).map(([name, open]) => [name, () => make(open)]))
}
