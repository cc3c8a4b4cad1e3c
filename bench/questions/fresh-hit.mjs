/** A call that finds fresh data in memory: what nearly all calls of a cache are. */

import { answers, origin } from '../harness/answers.mjs'
import { peersAs } from '../harness/peers.mjs'

const TTL = 3_600_000
const USER = { id: 1, name: 'Ada' }

/** The least that any library could do: be asynchronous, and look once into a Map. */
const floor = (keyOf) => () => {
  const map = new Map([[keyOf(), USER]])
  const get = async (key) => map.get(key)
  const once = () => get(keyOf())
  return { once, check: answers(once, USER) }
}

/**
 * The least that a query cache could do: look at the options, find the entry by the parts of its key (or with the options,
 * where these are reused), ask the clock whether it is fresh, and give a promise that is kept. No checks of what it was
 * given, no invalidation, no order of use, no counting.
 */
const least = (keyOf, isReused) => () => {
  const entry = { settled: Promise.resolve(USER), updatedAt: Date.now() }
  const root = keyOf().reduceRight((below, part) => new Map([[part, below]]), entry)
  const serve = (found, staleTime = TTL) => {
    if (Date.now() - found.updatedAt >= staleTime) throw new Error('stale: the origin would be called')
    return found.settled
  }
  const find = (key) => {
    let found = root
    for (const part of key) found = found.get(part)
    return found
  }
  const queryFn = async () => USER
  const reused = { queryKey: keyOf(), queryFn, entry }
  const once = isReused
    ? () => serve(reused.entry, reused.staleTime)
    : () => {
        const { queryKey, staleTime } = { queryKey: keyOf(), queryFn }
        return serve(find(queryKey), staleTime)
      }
  return { once, check: answers(once, USER) }
}

const peers = (key) =>
  peersAs(async (open) => {
    const source = origin(() => USER, 1)
    const fetch = await open({ origin: source.get, max: 1_000, ttl: TTL })
    const once = () => fetch(key)
    return { once, check: checked(once, source) }
  })

const stackquery = (keyOf, isReused) => async () => {
  const { QueryClient, queryOptions } = await import('stackquery')
  const client = new QueryClient({ staleTime: TTL })
  const source = origin(() => USER, 1)
  const reused = queryOptions({ queryKey: keyOf(), queryFn: source.get })
  const once = isReused
    ? () => client.fetchQuery(reused)
    : () => client.fetchQuery({ queryKey: keyOf(), queryFn: source.get })
  return { once, check: checked(once, source) }
}

const tanstack = (keyOf, isReused) => async () => {
  const { QueryClient } = await import('@tanstack/query-core')
  const client = new QueryClient({ defaultOptions: { queries: { staleTime: TTL } } })
  const source = origin(() => USER, 1)
  const reused = { queryKey: keyOf(), queryFn: source.get }
  const once = isReused
    ? () => client.fetchQuery(reused)
    : () => client.fetchQuery({ queryKey: keyOf(), queryFn: source.get })
  return { once, check: checked(once, source) }
}

function checked(once, source) {
  const answer = answers(once, USER)
  return async () => {
    await answer()
    source.check()
  }
}

const flat = () => ['user', '1']
const nested = () => ['org', 7, 'team', 12, 'user', '1']
const object = () => ['todos', { page: 2, filter: 'open' }]

const libraries = (keyOf) => ({
  'stackquery, fresh options': stackquery(keyOf, false),
  'stackquery, queryOptions() reused': stackquery(keyOf, true),
  'tanstack, fresh options': tanstack(keyOf, false),
  'tanstack, options reused': tanstack(keyOf, true),
})

export const question = {
  name: 'fresh-hit',
  title: 'Fresh hit in memory',
  unit: 'call',
  cases: {
    'flat key': {
      'floor: async Map.get': floor(() => 'user:1'),
      'least: + key by its parts, the clock': least(flat, false),
      'least: + the clock, options reused': least(flat, true),
      ...libraries(flat),
      ...peers('user:1'),
    },
    'nested key': {
      'floor: async Map.get': floor(() => 'org:7:team:12:user:1'),
      ...libraries(nested),
    },
    'object key': {
      'floor: async Map.get of JSON': floor(() => JSON.stringify(object())),
      ...libraries(object),
    },
  },
}
