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
