/**
 * What reusable options remember: the query that they led to the last time, and in which cache, so that their key is
 * looked up once and not with every call.
 *
 * The memory hangs on the options themselves, where no copy takes it along (a spread with another key starts anew), and
 * holds good for as long as the query stays in that cache and the options name the same key.
 */

import type { QueryKey } from '../keys/query-key.ts'
import type { QueryCache } from '../memory/query-cache.ts'
import type { Query } from '../query/query.ts'

const MEMORY = Symbol('the query of these options')

interface Memory {
  query: Query | null
  cache: QueryCache | null
  key: QueryKey | null
}

interface Keyed {
  readonly queryKey: QueryKey
  readonly [MEMORY]?: Memory
}

/** Gives options a memory. Frozen ones stay without: they work, and are looked up. */
export function giveMemory(options: Keyed): void {
  if (options[MEMORY] !== undefined || !Object.isExtensible(options)) return
  const memory: Memory = { query: null, cache: null, key: null }
  Object.defineProperty(options, MEMORY, { value: memory })
}

/** The query of `options` in `cache`. */
export function recall(options: Keyed, cache: QueryCache): Query | undefined {
  const memory = options[MEMORY]
  return memory === undefined ? cache.get(options.queryKey) : recallBy(memory, options, cache)
}

function recallBy(memory: Memory, options: Keyed, cache: QueryCache): Query | undefined {
  const { query } = memory
  if (query?.isCached === true && memory.cache === cache && memory.key === options.queryKey) return query
  const found = cache.get(options.queryKey)
  memory.query = found ?? null
  memory.cache = found === undefined ? null : cache
  memory.key = options.queryKey
  return found
}
