// @ts-check
/**
 * One fleet for a while: real clients, virtual time, one simulated Redis. Every worker reads keys by Zipf's law; now and
 * then one changes a key at the origin and removes it. Returns what that cost, and how long removals took to reach all.
 */
import { QueryClient } from '../../dist/index.js'
import { seededRandom } from '../../dist/testing/index.js'
import { SimulatedRedis } from './simulated-redis.mjs'
import { TickingClock } from './ticking-clock.mjs'

const ORIGIN = 50
const VALUE = 'x'.repeat(300)

/**
 * @typedef {{ workers: number, keys: number, reads: number, writes: number, staleTime: number, warmUp: number, length: number }} Load
 *   `reads`: a second and worker; `writes`: a second and fleet; durations in milliseconds
 */

/** @param {Load} load */
export async function runFleet({ workers, keys, reads, writes, staleTime, warmUp, length }) {
  const random = seededRandom(1)
  const clock = new TickingClock()
  const redis = new SimulatedRedis(clock)
  const ignore = () => {}
  const logged = new Map()
  const warn = (/** @type {string} */ text) => logged.set(text, (logged.get(text) ?? 0) + 1)
  const logger = { info: ignore, warn, error: warn }
  const clients = Array.from({ length: workers }, () => {
    const storage = /** @type {any} */ (redis.connect())
    return new QueryClient({ storage, clock, logger, staleTime, cacheMaxSize: 10_000, gcTime: 600_000 })
  })
  const popularity = cumulated(keys)
  const pick = () => keyAt(popularity, random())
  let originCalls = 0
  let errors = 0
  const queryFn = () => {
    originCalls++
    return new Promise((resolve) =>
      clock.setTimeout(() => resolve({ text: VALUE, call: originCalls }), ORIGIN),
    )
  }
  const query = (/** @type {number} */ n) => ({ queryKey: ['item', n], queryFn })
  /** @type {number[]} */
  const times = []
  /** @type {{ n: number, at: number, data: unknown, waiting: Set<QueryClient> }[]} */
  let open = []
  const look = () => {
    for (const each of open) {
      for (const client of each.waiting) {
        const state = client.getQueryState(['item', each.n])
        if (state?.data === undefined || state.dataUpdatedAt >= each.at) each.waiting.delete(client)
      }
      if (each.waiting.size === 0) times.push(clock.now() - each.at)
    }
    open = open.filter(({ waiting }) => waiting.size > 0)
  }
  let isMeasuring = false
  const write = async () => {
    const n = pick()
    const by = /** @type {QueryClient} */ (clients[Math.floor(random() * workers)])
    const at = clock.now()
    if (isMeasuring) {
      const waiting = new Set(clients.filter((client) => client !== by && client.cache.has(['item', n])))
      open.push({ n, at, data: undefined, waiting })
    }
    await by.removeQueries({ queryKey: ['item', n], exact: true })
  }
  // A tick does all that its share of a second brings.
  let [readsDue, writesDue] = [0, 0]
  const tick = () => {
    readsDue += (reads * workers) / 1000
    writesDue += writes / 1000
    for (; readsDue >= 1; readsDue--) {
      const client = /** @type {QueryClient} */ (clients[Math.floor(random() * workers)])
      client.fetchQuery(query(pick())).catch(() => errors++)
    }
    for (; writesDue >= 1; writesDue--) void write()
  }
  const play = async (/** @type {number} */ milliseconds) => {
    for (let i = 0; i < milliseconds; i++) {
      tick()
      await clock.advance(1)
      if (open.length > 0) look()
    }
  }
  await clock.advance(100)
  await play(warmUp)
  redis.reset()
  originCalls = 0
  isMeasuring = true
  const heardBefore = heardBy(clients)
  const missesBefore = missesOf(clients)
  await play(length)
  const seconds = length / 1000
  const counts = Object.fromEntries(
    [...redis.counts].map(([purpose, { commands, bytes }]) => [
      purpose,
      { commands: commands / seconds, bytes: bytes / seconds },
    ]),
  )
  const outages = clients.reduce((sum, client) => sum + (client.stats().storage?.outages ?? 0), 0)
  const result = {
    counts,
    commands: sum(Object.values(counts).map(({ commands }) => commands)),
    bytes: sum(Object.values(counts).map(({ bytes }) => bytes)),
    core: redis.worked / 1e6 / seconds,
    heard: (heardBy(clients) - heardBefore) / seconds,
    misses: (missesOf(clients) - missesBefore) / seconds,
    originCalls: originCalls / seconds,
    reached: { count: times.length, p50: at(times, 0.5), p99: at(times, 0.99), most: at(times, 1) },
    unreached: open.filter(({ at }) => at < clock.now() - 1_000).length,
    errors,
    outages,
  }
  isMeasuring = false
  const closed = clients.map((client) => client.close({ timeout: 0 }))
  await clock.advance(5_000)
  await Promise.all(closed)
  return result
}

/** @param {readonly QueryClient[]} clients */
function heardBy(clients) {
  return sum(clients.map((client) => client.stats().fleet?.heard ?? 0))
}

/** Calls that L1 could not answer with fresh data. @param {readonly QueryClient[]} clients */
function missesOf(clients) {
  return sum(
    clients.map((client) => {
      const { memoryMisses, staleServes } = client.stats()
      return memoryMisses + staleServes
    }),
  )
}

/** @param {readonly number[]} numbers */
function sum(numbers) {
  return numbers.reduce((all, each) => all + each, 0)
}

/** @param {number[]} times @param {number} share */
function at(times, share) {
  return times.sort((a, b) => a - b)[Math.max(0, Math.ceil(times.length * share) - 1)] ?? null
}

/** Zipf's law. @param {number} keys */
function cumulated(keys) {
  const shares = new Float64Array(keys)
  let all = 0
  for (let i = 0; i < keys; i++) shares[i] = all += 1 / (i + 1)
  return shares
}

/** @param {Float64Array} shares @param {number} random */
function keyAt(shares, random) {
  const wanted = random * /** @type {number} */ (shares.at(-1))
  let [low, high] = [0, shares.length - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if (/** @type {number} */ (shares[middle]) < wanted) low = middle + 1
    else high = middle
  }
  return low
}
