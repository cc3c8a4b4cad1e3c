/** 10,000 observers, all of one key or of one key each: subscribing, and telling them of new data. */

import assert from 'node:assert/strict'
import { stopwatch } from '../harness/stopwatch.mjs'

const OBSERVERS = 10_000

/**
 * `open()` gives `watch(key, listener)`, which returns the function that ends it, and `set(key, data)`. Each round makes
 * its observers, changes the data of all of them once, and ends them.
 */
function watching(keyCount, timed, open) {
  return async () => {
    const { watch, set, settle = () => {} } = await open()
    const keys = Array.from({ length: keyCount }, (_, i) => ['user', i])
    for (const key of keys) set(key, 0)
    let version = 0
    return {
      n: OBSERVERS,
      async round() {
        version++
        let told = 0
        const ends = new Array(OBSERVERS)
        const taken = stopwatch()
        for (let i = 0; i < OBSERVERS; i++) {
          ends[i] = watch(keys[i % keyCount], (data) => {
            if (data === version) told++
          })
        }
        const subscribed = taken()
        for (const key of keys) set(key, version)
        await settle()
        const updated = taken()
        assert.equal(told, OBSERVERS, `${told} listeners were told of new data`)
        for (const end of ends) end()
        const ended = taken()
        return { subscribe: subscribed + (ended - updated), update: updated - subscribed }[timed]
      },
    }
  }
}

const LIBRARIES = {
  'floor: Set of listeners': async () => {
    const topics = new Map()
    return {
      watch(key, listener) {
        if (!topics.has(key[1])) topics.set(key[1], new Set())
        topics.get(key[1]).add(listener)
        return () => topics.get(key[1]).delete(listener)
      },
      set(key, data) {
        for (const listener of topics.get(key[1]) ?? []) listener(data)
      },
    }
  },
  stackquery: async () => {
    const { QueryClient } = await import('stackquery')
    const client = new QueryClient({ staleTime: 3_600_000, cacheMaxSize: OBSERVERS })
    return {
      watch: (queryKey, listener) => client.watch({ queryKey }).subscribe((state) => listener(state.data)),
      set: (key, data) => client.setQueryData(key, data),
    }
  },
  tanstack: async () => {
    const { notifyManager, QueryClient, QueryObserver } = await import('@tanstack/query-core')
    const client = new QueryClient({ defaultOptions: { queries: { staleTime: 3_600_000 } } })
    return {
      watch: (queryKey, listener) =>
        new QueryObserver(client, { queryKey, queryFn: () => 0 }).subscribe((state) => listener(state.data)),
      set: (key, data) => client.setQueryData(key, data),
      // Its notifications come in a task of their own.
      settle: () => new Promise((resolve) => notifyManager.schedule(() => setTimeout(resolve))),
    }
  },
}

const each = (keyCount, timed) =>
  Object.fromEntries(Object.entries(LIBRARIES).map(([name, open]) => [name, watching(keyCount, timed, open)]))

export const question = {
  name: 'observers',
  title: '10,000 observers',
  unit: 'observer',
  cases: {
    'on one key, subscribing and leaving': each(1, 'subscribe'),
    'on one key, new data': each(1, 'update'),
    'on 10,000 keys, subscribing and leaving': each(OBSERVERS, 'subscribe'),
    'on 10,000 keys, new data': each(OBSERVERS, 'update'),
  },
}
