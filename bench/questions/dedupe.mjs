/** 10,000 callers at once on one cold key: one call of the origin, and what each caller costs. */

import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { peersAs } from '../harness/peers.mjs'
import { stopwatch } from '../harness/stopwatch.mjs'

const CALLERS = 10_000
const TTL = 3_600_000

/** Each round asks for a key of its own. */
function crowd(open) {
  let calls = 0
  let round = 0
  const origin = async (key) => {
    calls++
    await setImmediate()
    return `data of ${key}`
  }
  return async () => {
    const fetch = await open(origin)
    const ask = async () => {
      const key = `user:${round++}`
      calls = 0
      const taken = stopwatch()
      const waiting = new Array(CALLERS)
      for (let i = 0; i < CALLERS; i++) waiting[i] = fetch(key)
      const data = await Promise.all(waiting)
      const ms = taken()
      assert.equal(calls, 1, `the origin was called ${calls} times`)
      assert.ok(data.every((each) => each === `data of ${key}`))
      return { ms, calls }
    }
    return { n: CALLERS, check: ask, round: ask }
  }
}

export const question = {
  name: 'dedupe',
  title: '10,000 concurrent callers on one cold key',
  unit: 'caller',
  cases: {
    'cold key': {
      'floor: Map of promises': crowd(async (origin) => {
        const map = new Map()
        return (key) => {
          if (!map.has(key)) map.set(key, origin(key))
          return map.get(key)
        }
      }),
      'least: Map of promises, options of each caller': crowd(async (origin) => {
        const map = new Map()
        const ask = ({ queryKey: [key], queryFn }) => {
          if (!map.has(key)) map.set(key, queryFn())
          return map.get(key)
        }
        return (key) => ask({ queryKey: [key], queryFn: () => origin(key) })
      }),
      stackquery: crowd(async (origin) => {
        const { QueryClient } = await import('stackquery')
        const client = new QueryClient({ staleTime: TTL })
        return (key) => client.fetchQuery({ queryKey: [key], queryFn: () => origin(key) })
      }),
      tanstack: crowd(async (origin) => {
        const { QueryClient } = await import('@tanstack/query-core')
        const client = new QueryClient({ defaultOptions: { queries: { staleTime: TTL } } })
        return (key) => client.fetchQuery({ queryKey: [key], queryFn: () => origin(key) })
      }),
      ...peersAs((open) => crowd((origin) => open({ origin, max: 1_000, ttl: TTL }))()),
    },
  },
}
