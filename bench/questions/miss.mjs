/** A key that nobody has asked for before, and a queryFn that answers at once. 1,000 entries are kept. */

import { answers, origin } from '../harness/answers.mjs'
import { peersAs } from '../harness/peers.mjs'

const TTL = 3_600_000
const MAX = 1_000

function checked(once, source) {
  return async () => {
    const before = source.calls
    await answers((i) => once(i - 1), -1)()
    if (source.calls !== before + 1 && before === 0) throw new Error('the origin was not called')
  }
}

/** Each round goes on counting, so that no key comes twice. */
function missing(fetch, source) {
  let next = 0
  return { once: () => fetch(next++), check: checked(fetch, source) }
}

export const question = {
  name: 'miss',
  title: 'Miss, with a trivial queryFn',
  unit: 'call',
  cases: {
    'new key each call': {
      'floor: Map, origin, Map.set': () => {
        const map = new Map()
        const source = origin((key) => key)
        const fetch = async (key) => {
          if (map.has(key)) return map.get(key)
          const data = await source.get(key)
          if (map.size >= MAX) map.delete(map.keys().next().value)
          map.set(key, data)
          return data
        }
        return missing(fetch, source)
      },
      stackquery: async () => {
        const { QueryClient } = await import('stackquery')
        const client = new QueryClient({ staleTime: TTL, cacheMaxSize: MAX })
        const source = origin((i) => i)
        return missing(
          (i) => client.fetchQuery({ queryKey: ['user', i], queryFn: () => source.get(i) }),
          source,
        )
      },
      // Has no bound on its entries: emptied between the rounds.
      tanstack: async () => {
        const { QueryClient } = await import('@tanstack/query-core')
        const client = new QueryClient({ defaultOptions: { queries: { staleTime: TTL } } })
        const source = origin((i) => i)
        const fetch = (i) => client.fetchQuery({ queryKey: ['user', i], queryFn: () => source.get(i) })
        return { ...missing(fetch, source), before: () => client.clear() }
      },
      ...peersAs(async (open) => {
        const source = origin((key) => Number(key.slice(5)))
        const fetch = await open({ origin: source.get, max: MAX, ttl: TTL })
        return missing((i) => fetch(`user:${i}`), source)
      }),
    },
  },
}
