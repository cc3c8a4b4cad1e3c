/** Reading what L2 holds while L1 is empty, one at a time or 100 at a time. */

import assert from 'node:assert/strict'
import { performance } from 'node:perf_hooks'
import { userOf } from './user.mjs'

export const KEYS = 2_000
const TTL = 3_600_000

/**
 * A case each for one read at a time and for 100 at a time. A library is `open(settings)` → `{ get(i), fill(), before?,
 * close? }`; `before` makes it forget what it has in memory.
 */
export function readCases(libraries) {
  const cases = { 'one at a time': {}, '100 at a time': {} }
  for (const [name, open] of Object.entries(libraries)) {
    cases['one at a time'][name] = (settings) => reading(1, open, settings)
    cases['100 at a time'][name] = (settings) => reading(100, open, settings)
  }
  return cases
}

async function reading(atOnce, open, settings) {
  const { get, fill, before, close } = await open(settings)
  await fill()
  return {
    n: KEYS,
    before,
    close,
    async check() {
      await before?.()
      for (const i of [0, 1_234, KEYS - 1]) assert.deepEqual(await get(i), userOf(i))
    },
    async round() {
      const started = performance.now()
      if (atOnce === 1) {
        for (let i = 0; i < KEYS; i++) await get(i)
      } else {
        for (let i = 0; i < KEYS; i += atOnce) {
          await Promise.all(Array.from({ length: atOnce }, (_, j) => get(i + j)))
        }
      }
      return performance.now() - started
    },
  }
}

/** A client over `storage`; its origin must never be asked. */
export async function overStorage(makeStorage) {
  const { QueryClient } = await import('stackquery')
  const client = new QueryClient({
    storage: await makeStorage(),
    staleTime: TTL,
    gcTime: TTL,
    cacheMaxSize: KEYS,
    // A shared machine stops for a moment now and then; that is not what is asked here.
    storageTimeout: 5_000,
  })
  const queryFn = () => {
    throw new Error('the origin was called: L2 did not answer')
  }
  return {
    get: (i) => client.fetchQuery({ queryKey: ['user', i], queryFn, retry: false }),
    async fill() {
      for (let i = 0; i < KEYS; i++) client.setQueryData(['user', i], userOf(i))
      const { pending } = await client.flush({ timeout: 30_000 })
      assert.equal(pending, 0)
    },
    before: () => client.clear(),
    close: () => client.close(),
  }
}
