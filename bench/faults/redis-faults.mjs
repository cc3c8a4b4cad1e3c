// @ts-check
/**
 * What a `get` of RedisStorage sees under each fault, how long until it works again once the fault has ended, and how
 * long until a follower of its feed has heard, or was told of a gap, of what was appended at that moment.
 *
 * `npm run build && node bench/faults/redis-faults.mjs [name of a client]`. The gets come every 20 ms, ten under way at
 * most and with no circuit breaker before them, so this is what the query client's own guard has to deal with.
 */
import { Redis as Redis5 } from 'ioredis'
import { Redis as Redis6 } from 'ioredis6'
import { createClient as createClient5 } from 'redis'
import { createClient as createClient6 } from 'redis6'
import { RedisStorage } from '../../dist/storages/redis/index.js'
import { freePort, startRedis, startRoute } from './redis-process.mjs'

/** @typedef {{ storage: RedisStorage, end(): unknown }} Opened */

const PATIENCE = 30_000
const POLL = 5

/** @param {number} ms */
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** @param {any} client @param {() => unknown} end @returns {Opened} */
const given = (client, end) => ({ storage: new RedisStorage({ client }), end })

/** @param {any} client */
const nodeRedis = (client) => {
  // The storage listens to its errors from here on.
  const opened = given(client, () => client.isOpen && client.destroy())
  client.connect().catch(() => {})
  return opened
}

/** @type {Record<string, (url: string) => Opened>} */
const CLIENTS = {
  'own (redis 5)': (url) => ({ storage: new RedisStorage(url), end() {} }),
  'given redis 5': (url) => nodeRedis(createClient5({ url })),
  'given redis 6': (url) => nodeRedis(createClient6({ url })),
  'given ioredis 5': (url) => {
    const client = new Redis5(url)
    return given(client, () => client.disconnect())
  },
  'given ioredis 6': (url) => {
    const client = new Redis6(url)
    return given(client, () => client.disconnect())
  },
}

/**
 * @param {RedisStorage} storage
 * @param {number} duration
 */
async function getsDuring(storage, duration) {
  const end = performance.now() + duration
  /** @type {Map<string, number[]>} */
  const seen = new Map()
  const underWay = new Set()
  while (performance.now() < end) {
    if (underWay.size < 10) {
      const started = performance.now()
      const get = storage
        .get('a')
        .then(
          () => 'ok',
          (error) => error.code,
        )
        .then((outcome) => {
          seen.set(outcome, [...(seen.get(outcome) ?? []), performance.now() - started])
          underWay.delete(get)
        })
      underWay.add(get)
    }
    await sleep(20)
  }
  await Promise.all(underWay)
  return [...seen]
    .map(([outcome, times]) => {
      times.sort((a, b) => a - b)
      const median = times[times.length >> 1] ?? 0
      return `${times.length} x ${outcome} (median ${median.toFixed(1)} ms, max ${(times.at(-1) ?? 0).toFixed(0)} ms)`
    })
    .join(', ')
}

/** @param {() => unknown} isTrue */
async function timeUntil(isTrue) {
  const started = performance.now()
  while (!(await isTrue())) {
    if (performance.now() - started > PATIENCE) return `more than ${PATIENCE} ms`
    await sleep(POLL)
  }
  return `${(performance.now() - started).toFixed(0)} ms`
}

/** @param {RedisStorage} storage */
const untilWorks = (storage) =>
  timeUntil(() =>
    storage.set('b', 'v').then(
      () => true,
      () => false,
    ),
  )

/**
 * @param {string} name
 * @param {string} fault
 * @param {Opened} opened
 * @param {{ begin(): unknown, duration: number, end(): unknown, writer?: string }} steps
 */
async function measure(name, fault, { storage, end }, steps) {
  await untilWorks(storage)
  let heard = ''
  await storage.feed.follow(
    (messages) => (heard ||= messages.includes('after') ? 'message' : ''),
    () => (heard = 'gap'),
  )
  await steps.begin()
  const gets = await getsDuring(storage, steps.duration)
  await steps.end()
  const writer = new RedisStorage(steps.writer)
  const appended = untilWorks(writer).then(() => writer.feed.append(['after']))
  const [back, feed] = await Promise.all([untilWorks(storage), appended.then(() => timeUntil(() => heard))])
  console.log(`${name} | ${fault} | ${gets} | works again after ${back} | feed: ${heard} after ${feed}`)
  await Promise.all([writer.close(), storage.close()])
  await end()
}

for (const [name, open] of Object.entries(CLIENTS)) {
  if (!name.includes(process.argv[2] ?? '')) continue
  let server = await startRedis()
  const { url, port } = server
  await measure(name, 'server stopped for 5 s', open(url), {
    begin: () => server.kill('SIGSTOP'),
    duration: 5_000,
    end: () => server.kill('SIGCONT'),
    writer: url,
  })
  await measure(name, 'server killed, 3 s later back and empty', open(url), {
    begin: () => server.stop(),
    duration: 3_000,
    end: async () => {
      server = await startRedis({ port })
    },
    writer: url,
  })
  for (const duration of [2_000, 10_000]) {
    const route = await startRoute(port)
    await measure(name, `route silent for ${duration / 1000} s`, open(route.url), {
      begin: () => route.setSilent(true),
      duration,
      end: () => route.setSilent(false),
      writer: url,
    })
    route.close()
  }
  await server.stop()

  const absentPort = await freePort()
  const absent = open(`redis://127.0.0.1:${absentPort}`)
  const gets = await getsDuring(absent.storage, 1_000)
  const late = await startRedis({ port: absentPort })
  console.log(
    `${name} | absent for 1 s at the start | ${gets} | works after ${await untilWorks(absent.storage)}`,
  )
  await absent.storage.close()
  await absent.end()
  await late.stop()

  const locked = await startRedis({ args: ['--requirepass', 'right'] })
  const wrong = open(locked.url.replace('//', '//:wrong@'))
  console.log(`${name} | wrong password | ${await getsDuring(wrong.storage, 1_000)}`)
  await wrong.storage.close()
  await wrong.end()
  await locked.stop()
}
process.exit(0)
