/** What a bundle grows by: the smallest useful import of each, with all that it needs, minified and compressed. */

import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

const BENCH = fileURLToPath(new URL('..', import.meta.url))

const bundled = (source) => () => ({
  n: 1,
  async round() {
    const { build } = await import('esbuild')
    const { outputFiles } = await build({
      stdin: { contents: source, resolveDir: BENCH },
      bundle: true,
      minify: true,
      write: false,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      logLevel: 'silent',
      // What only a server's drivers need, and a bundle leaves out.
      external: ['ioredis', 'redis', 'lmdb', 'knex', 'kysely', 'abstract-logging', 'mqtt'],
    })
    const [{ contents }] = outputFiles
    // A "nanosecond" a byte, as far as the harness is concerned.
    return { ms: gzipSync(contents, { level: 9 }).length / 1e6, minified: contents.length }
  },
})

export const question = {
  name: 'bundle-size',
  title: 'Bundle size of the core',
  unit: 'bundle',
  column: 'bytes, minified and gzipped',
  show: (bytes) => String(Math.round(bytes)),
  isCold: true,
  rounds: () => 1,
  cases: {
    'minified and gzipped': {
      'stackquery, QueryClient': bundled(`export { QueryClient } from 'stackquery'`),
      'stackquery, everything of the core': bundled(`export * from 'stackquery'`),
      'tanstack, QueryClient and QueryObserver': bundled(
        `export { QueryClient, QueryObserver } from '@tanstack/query-core'`,
      ),
      'tanstack, everything': bundled(`export * from '@tanstack/query-core'`),
      'lru-cache': bundled(`export { LRUCache } from 'lru-cache'`),
      cachified: bundled(`export { cachified } from '@epic-web/cachified'`),
      'async-cache-dedupe': bundled(`export { createCache } from 'async-cache-dedupe'`),
      'layered-loader': bundled(`export { Loader } from 'layered-loader'`),
      bentocache: bundled(
        `export { BentoCache, bentostore } from 'bentocache'; export { memoryDriver } from 'bentocache/drivers/memory'`,
      ),
      cacheable: bundled(`export { Cacheable } from 'cacheable'`),
      'cache-manager': bundled(`export { createCache } from 'cache-manager'`),
    },
  },
}
