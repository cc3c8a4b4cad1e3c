/** From nothing to the first answer: how long the import takes, and the first fetch after it; in fresh processes. */

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const BENCH = fileURLToPath(new URL('..', import.meta.url))

/** A program that imports, then fetches once, and prints both times in milliseconds. */
const started = (program, part) => () => ({
  n: 1,
  async round() {
    const source = `
      const begun = performance.now()
      ${program.load}
      const loaded = performance.now()
      ${program.fetch}
      const fetched = performance.now()
      if (data !== 1) throw new Error('wrong answer')
      console.log(JSON.stringify({ import: loaded - begun, 'first fetch': fetched - loaded }))
      process.exit()`
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', source], { cwd: BENCH })
    return JSON.parse(stdout)[part]
  },
})

const PROGRAMS = {
  'floor: an empty module, a Map': {
    load: `const { nothing } = await import('./harness/empty.mjs')`,
    fetch: `const data = await new Map([['a', nothing]]).get('a')`,
  },
  stackquery: {
    load: `const { QueryClient } = await import('stackquery')`,
    fetch: `const client = new QueryClient()
      const data = await client.fetchQuery({ queryKey: ['a'], queryFn: () => 1 })`,
  },
  tanstack: {
    load: `const { QueryClient } = await import('@tanstack/query-core')`,
    fetch: `const client = new QueryClient()
      const data = await client.fetchQuery({ queryKey: ['a'], queryFn: () => 1 })`,
  },
  'lru-cache': {
    load: `const { LRUCache } = await import('lru-cache')`,
    fetch: `const cache = new LRUCache({ max: 100, fetchMethod: () => 1 })
      const data = await cache.fetch('a')`,
  },
  'async-cache-dedupe': {
    load: `const { createCache } = await import('async-cache-dedupe')`,
    fetch: `const cache = createCache({ ttl: 1, storage: { type: 'memory' } })
      cache.define('load', async () => 1)
      const data = await cache.load('a')`,
  },
  'layered-loader': {
    load: `const { Loader } = await import('layered-loader')`,
    fetch: `const loader = new Loader({
        inMemoryCache: { cacheType: 'lru-object', maxItems: 100, ttlInMsecs: 1000 },
        dataSourceGetOneFn: async () => 1,
      })
      const data = await loader.get('a')`,
  },
  cachified: {
    load: `const { cachified } = await import('@epic-web/cachified')`,
    fetch: `const data = await cachified({ cache: new Map(), key: 'a', getFreshValue: () => 1 })`,
  },
  bentocache: {
    load: `const { BentoCache, bentostore } = await import('bentocache')
      const { memoryDriver } = await import('bentocache/drivers/memory')`,
    fetch: `const store = bentostore().useL1Layer(memoryDriver({ maxItems: 100 }))
      const bento = new BentoCache({ default: 'memory', stores: { memory: store } })
      const data = await bento.getOrSet({ key: 'a', factory: () => 1 })`,
  },
  cacheable: {
    load: `const { Cacheable } = await import('cacheable')`,
    fetch: `const cache = new Cacheable()
      const data = await cache.getOrSet('a', async () => 1)`,
  },
  'cache-manager': {
    load: `const { createCache } = await import('cache-manager')`,
    fetch: `const cache = createCache()
      const data = await cache.wrap('a', async () => 1)`,
  },
}

const each = (part) =>
  Object.fromEntries(Object.entries(PROGRAMS).map(([name, program]) => [name, started(program, part)]))

export const question = {
  name: 'start-up',
  title: 'Start-up',
  unit: 'start',
  isCold: true,
  cases: { import: each('import'), 'first fetch': each('first fetch') },
}
