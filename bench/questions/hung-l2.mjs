/**
 * Cold fetches over an L2 that takes calls and never answers: what the first costs, and what the following ones cost. A
 * library that waits for such an L2 for ever is given up after two seconds.
 */

import assert from 'node:assert/strict'
import { performance } from 'node:perf_hooks'

const FOLLOWING = 2_000
const PATIENCE = 2_000
const PAUSE = 300
const never = () => new Promise(() => {})

/** `open()` → `fetch(key)`; each round has a client of its own, whose L2 has not been found out yet. */
function hung(which, open) {
  return () => ({
    n: which === 'first' ? 1 : FOLLOWING,
    async round() {
      const { fetch, close } = await open()
      const first = await timed(() => Promise.race([fetch('cold'), patience()]))
      if (which === 'first') {
        await close?.()
        return first
      }
      assert.ok(first < PATIENCE, `the first fetch took more than ${PATIENCE} ms`)
      // Who has waited for an L2 begins on a processor that others have used meanwhile: all begin so.
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, PAUSE - first)))
      const following = await timed(async () => {
        for (let i = 0; i < FOLLOWING; i++) await fetch(`cold${i}`)
      })
      await close?.()
      return following
    },
  })
}

async function timed(act) {
  const started = performance.now()
  await act()
  return performance.now() - started
}

function patience() {
  return new Promise((resolve) => setTimeout(resolve, PATIENCE))
}

const stackquery = (storage) => async () => {
  const { QueryClient } = await import('stackquery')
  const logger = { debug() {}, info() {}, warn() {}, error() {} }
  const client = new QueryClient({ staleTime: 60_000, cacheMaxSize: FOLLOWING, logger, ...storage() })
  return {
    fetch: (key) => client.fetchQuery({ queryKey: [key], queryFn: () => key }),
    close: () => client.close({ timeout: 0 }),
  }
}

const hungStorage = () => ({ storage: { get: never, set: never, delete: never } })

async function bentocache() {
  const { BentoCache, bentostore } = await import('bentocache')
  const { memoryDriver } = await import('bentocache/drivers/memory')
  const l2 = { options: {}, factory: () => hungDriver }
  const hungDriver = {
    type: 'l2',
    namespace: () => hungDriver,
    get: never,
    set: never,
    delete: never,
    deleteMany: never,
    pull: never,
    clear: never,
    disconnect: async () => {},
  }
  const layer = memoryDriver({ maxItems: FOLLOWING, serialize: false })
  const store = bentostore().useL1Layer(layer).useL2Layer(l2)
  const bento = new BentoCache({
    default: 'two',
    stores: { two: store },
    l2CircuitBreakerDuration: '30s',
  })
  return { fetch: (key) => bento.getOrSet({ key, ttl: 60_000, factory: () => key }) }
}

async function cacheable() {
  const { Cacheable, createKeyv, Keyv } = await import('cacheable')
  const store = { opts: {}, get: never, set: never, delete: never, clear: never, on() {} }
  const cache = new Cacheable({
    primary: createKeyv({ useClone: false, lruSize: FOLLOWING }),
    secondary: new Keyv({ store }),
    nonBlocking: true,
    ttl: 60_000,
  })
  return { fetch: (key) => cache.getOrSet(key, async () => key) }
}

const each = (which) => ({
  'stackquery without an L2': hung(
    which,
    stackquery(() => ({})),
  ),
  stackquery: hung(which, stackquery(hungStorage)),
  bentocache: hung(which, bentocache),
  'cacheable (nonBlocking)': hung(which, cacheable),
})

export const question = {
  name: 'hung-l2',
  title: 'Cold fetch while L2 hangs',
  unit: 'fetch',
  // Of the following ones the first rounds run what is not compiled yet.
  rounds: (pace) => (pace.isQuick ? 2 : 27),
  isCold: true,
  cases: { 'the first': each('first'), 'the following ones': each('following') },
}
