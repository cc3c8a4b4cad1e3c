// @ts-check
/**
 * What followers of the feed cost the server: commands, processor time and bytes a second, idle and under appends of
 * one message each at several rates; and how long an append takes to be heard by the last follower.
 *
 * `npm run build && node bench/redis-storage/feed-cost.mjs [followers]`.
 */
import { createClient } from 'redis'
import { RedisStorage } from '../../dist/storages/redis/index.js'
import { startRedis } from '../faults/redis-process.mjs'

const FOLLOWERS = Number(process.argv[2] ?? 100)
const SECONDS = 8
const MESSAGE = JSON.stringify({ k: '["user",12345]', t: 'AbCdEfGh' })

/** @param {number} ms */
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
/** @param {number[]} values @param {number} part */
const quantile = (values, part) =>
  values.sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))] ?? 0

const server = await startRedis()
const admin = createClient({ url: server.url })
await admin.connect()
async function usage() {
  const info = `${await admin.info('stats')}${await admin.info('cpu')}`
  const field = (/** @type {string} */ name) => Number(new RegExp(`${name}:([\\d.]+)`).exec(info)?.[1])
  return {
    commands: field('total_commands_processed'),
    cpu: field('used_cpu_user') + field('used_cpu_sys'),
    bytes: field('total_net_output_bytes') + field('total_net_input_bytes'),
  }
}

const writer = new RedisStorage(server.url)
/** @type {Map<string, { at: number, left: number }>} */
const awaited = new Map()
/** @type {number[]} */
const delays = []
const storage = new RedisStorage(server.url)
for (let follower = 0; follower < FOLLOWERS; follower++) {
  await storage.feed.follow(
    (messages) => {
      for (const message of messages) {
        const sent = awaited.get(message)
        if (sent === undefined || --sent.left > 0) continue
        delays.push(performance.now() - sent.at)
        awaited.delete(message)
      }
    },
    (reason) => console.log('gap:', reason),
  )
}

for (const rate of [0, 1, 10, 100, 1_000]) {
  delays.length = 0
  const [before, started, own] = [await usage(), performance.now(), process.cpuUsage()]
  let sent = 0
  while (performance.now() - started < SECONDS * 1_000) {
    const due = Math.floor(((performance.now() - started) / 1_000) * rate)
    for (; sent < due; sent++) {
      const message = `${MESSAGE}${rate}.${sent}`
      awaited.set(message, { at: performance.now(), left: FOLLOWERS })
      void Promise.resolve(writer.feed.append([message]))
    }
    await sleep(5)
  }
  const [after, seconds, used] = [await usage(), (performance.now() - started) / 1_000, process.cpuUsage(own)]
  await sleep(500)
  const heard =
    rate === 0
      ? ''
      : `, heard by the last after p50 ${quantile(delays, 0.5).toFixed(1)}, p99 ${quantile(delays, 0.99).toFixed(1)} ms`
  console.log(
    `${FOLLOWERS} followers, ${rate} appends/s: ${((after.commands - before.commands) / seconds).toFixed(0)} commands/s, ` +
      `${(((after.cpu - before.cpu) / seconds) * 100).toFixed(1)} % of a core of the server, ${((after.bytes - before.bytes) / seconds / 1024).toFixed(0)} KB/s; ` +
      `a follower ${(((used.user + used.system) / 1e6 / seconds / FOLLOWERS) * 100).toFixed(3)} % of a core${heard}`,
  )
}
await writer.close()
await storage.close()
admin.destroy()
await server.stop()
