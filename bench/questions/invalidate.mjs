/**
 * Invalidating a prefix that 10 entries have, among 1,000, 100,000 and 1,000,000. The same number of prefixes is asked for
 * in turn at every size, far apart: what grows is the cache, not the part of it that the processor has at hand.
 */

import assert from 'node:assert/strict'

const MATCHING = 10
const PREFIXES = 100

/** `fill(group, i)` makes an entry; `invalidate(group)` is what is timed; `countStale(group)` proves it. */
function among(entries, open) {
  return async () => {
    const groups = entries / MATCHING
    const { fill, invalidate, countStale } = await open(entries)
    for (let group = 0; group < groups; group++) for (let i = 0; i < MATCHING; i++) fill(group, i)
    let next = 0
    const check = async () => {
      const group = groups - 1
      for (let i = 0; i < MATCHING; i++) fill(group, i)
      assert.equal(countStale(group), 0)
      await invalidate(group)
      assert.equal(countStale(group), MATCHING)
      assert.equal(countStale(0), next === 0 ? 0 : MATCHING)
    }
    return {
      check,
      once: () => invalidate((next++ % PREFIXES) * (groups / PREFIXES)),
    }
  }
}

const LIBRARIES = {
  'floor: Map of prefix to entries': async () => {
    const index = new Map()
    return {
      fill(group, i) {
        if (!index.has(group)) index.set(group, new Map())
        index.get(group).set(i, { data: i, isInvalidated: false })
      },
      async invalidate(group) {
        for (const entry of index.get(group).values()) entry.isInvalidated = true
      },
      countStale: (group) => [...index.get(group).values()].filter((entry) => entry.isInvalidated).length,
    }
  },
  stackquery: async (entries) => {
    const { QueryClient } = await import('stackquery')
    const client = new QueryClient({ staleTime: 3_600_000, cacheMaxSize: entries })
    return {
      fill: (group, i) => client.setQueryData(['list', group, i], i),
      invalidate: (group) => client.invalidateQueries(['list', group]),
      countStale: (group) => client.cache.find(['list', group]).filter((query) => query.isInvalidated).length,
    }
  },
  tanstack: async () => {
    const { QueryClient } = await import('@tanstack/query-core')
    const client = new QueryClient({
      // Infinity: no timer for each entry.
      defaultOptions: { queries: { staleTime: 3_600_000, gcTime: Number.POSITIVE_INFINITY } },
    })
    return {
      fill: (group, i) => client.setQueryData(['list', group, i], i),
      invalidate: (group) => client.invalidateQueries({ queryKey: ['list', group] }),
      countStale: (group) =>
        client
          .getQueryCache()
          .findAll({ queryKey: ['list', group] })
          .filter((query) => query.state.isInvalidated).length,
    }
  },
}

const each = (entries) =>
  Object.fromEntries(Object.entries(LIBRARIES).map(([name, open]) => [name, among(entries, open)]))

export const question = {
  name: 'invalidate',
  title: 'Invalidating a prefix that 10 entries have',
  unit: 'call',
  execArgv: ['--max-old-space-size=6144'],
  cases: {
    '1,000 entries': each(1_000),
    '100,000 entries': each(100_000),
    '1,000,000 entries': each(1_000_000),
  },
  slowCases: ['1,000,000 entries'],
}
