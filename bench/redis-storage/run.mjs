// @ts-check
/**
 * What RedisStorage adds to its client: 100 values at a time and one at a time, `JSON.parse` included, beside the
 * clients themselves.
 *
 * `npm run build && node bench/redis-storage/run.mjs`. Contestants take turns in each round, so that a slow spell of
 * the machine meets all of them.
 */
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { RedisStorage } from '../../dist/storages/redis/index.js'
import { startRedis } from '../faults/redis-process.mjs'

const ROUNDS = 7
const server = await startRedis()
const ioredis = new Redis(server.url, { enableAutoPipelining: true })
const nodeRedis = createClient({ url: server.url })
await nodeRedis.connect()
const own = new RedisStorage(server.url)
const overIoredis = new RedisStorage({ client: ioredis })

const value = JSON.stringify({
  v: 1,
  d: { id: 7, name: 'x'.repeat(100), list: [1, 2, 3, 4, 5] },
  t: 1_700_000_000_000,
})
const keys = Array.from({ length: 100 }, (_, i) => `sq:d:["user",${i}]`)
const [key = ''] = keys
await own.setMany(keys.map((name) => ({ key: name, value })))

/** @param {string | null | undefined} text */
const parse = (text) => JSON.parse(text ?? 'null')
/** @param {{ get(key: string): Promise<string | null> }} client */
const each = (client) => () => Promise.all(keys.map(async (name) => parse(await client.get(name))))
/** @param {RedisStorage} storage */
const many = (storage) => async () => (await storage.getMany(keys)).map(parse)
/** @param {{ get(key: string): Promise<string | null> }} client */
const single = (client) => async () => parse(await client.get(key))

/** @type {Record<string, { times: number, contestants: Record<string, () => Promise<unknown>> }>} */
const CASES = {
  '100 values at a time': {
    times: 300,
    contestants: {
      'ioredis, auto-pipelined get': each(ioredis),
      'node-redis, get': each(nodeRedis),
      'storage, getMany': many(own),
      'storage, get': each(own),
      'storage over ioredis, getMany': many(overIoredis),
    },
  },
  'one value at a time': {
    times: 1_500,
    contestants: {
      'ioredis, get': single(ioredis),
      'node-redis, get': single(nodeRedis),
      'storage, get': single(own),
      'storage over ioredis, get': single(overIoredis),
    },
  },
}

for (const [title, { times, contestants }] of Object.entries(CASES)) {
  /** @type {Map<string, number[]>} */
  const measured = new Map(Object.keys(contestants).map((name) => [name, []]))
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [name, run] of Object.entries(contestants)) {
      const started = performance.now()
      for (let time = 0; time < times; time++) await run()
      // The first round is for the compiler.
      if (round > 0) measured.get(name)?.push(((performance.now() - started) / times) * 1000)
    }
  }
  console.log(title)
  let floor = 0
  for (const [name, rounds] of measured) {
    const median = rounds.sort((a, b) => a - b)[rounds.length >> 1] ?? 0
    floor ||= median
    console.log(`  ${name.padEnd(32)} ${median.toFixed(1)} µs  ${(median / floor).toFixed(2)} x`)
  }
}
await own.close()
ioredis.disconnect()
nodeRedis.destroy()
await server.stop()
