// @ts-check
/**
 * What the commands of this package cost a real redis-server: processor time of the server for each command.
 *
 * `npm run build && node bench/scale/command-cost.mjs [seconds]`. Clients in several processes, so that the server is
 * busy: storages that read, write and follow the feed, as workers do. Processor time, not time that passes, so other work
 * on the machine changes little. It is the assumption of `simulated-redis.mjs`, measured.
 */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { createClient } from 'redis'
import { RedisStorage } from '../../dist/storages/redis/index.js'
import { startRedis } from '../faults/redis-process.mjs'

const STORAGES = 10
const KEYS = 7
const VALUE = JSON.stringify('x'.repeat(300))

/** @param {string} url @param {number} until */
async function work(url, until) {
  const storages = Array.from({ length: STORAGES }, () => new RedisStorage(url))
  const ignore = () => {}
  for (const storage of storages) await storage.feed.follow(ignore, ignore)
  let round = 0
  while (Date.now() < until) {
    await Promise.all(
      storages.map(async (storage, index) => {
        const keys = Array.from({ length: KEYS }, (_, part) => `key:${(round * KEYS + part + index) % 1_000}`)
        await storage.getMany(keys)
        if (round % 4 === 0) await storage.setMany([{ key: keys[0] ?? '', value: VALUE, ttl: 60_000 }])
        if (round % 20 === index) await storage.feed.append([`["updated",${round}]`])
        if (round % 10 === 0) {
          const token = await storage.lease.acquire(`lease:${index}`, 3_000)
          if (token !== null) await storage.lease.release(`lease:${index}`, token)
        }
      }),
    )
    round++
  }
  await Promise.all(storages.map((storage) => storage.close()))
}

/** @param {string} info @param {string} name */
const field = (info, name) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1])

async function measure(seconds) {
  const server = await startRedis()
  const admin = createClient({ url: server.url })
  await admin.connect()
  const look = async () => {
    const info = String(await admin.sendCommand(['INFO', 'all']))
    const cpu = field(info, 'used_cpu_user') + field(info, 'used_cpu_sys')
    return { cpu, commands: field(info, 'total_commands_processed'), info }
  }
  const before = await look()
  const until = String(Date.now() + seconds * 1_000)
  const children = [0, 1].map(() => fork(fileURLToPath(import.meta.url), [server.url, until]))
  await Promise.all(children.map((child) => new Promise((resolve) => child.once('exit', resolve))))
  const after = await look()
  const commands = after.commands - before.commands
  console.log(`${commands} commands in ${seconds} s`)
  console.log(
    `${(((after.cpu - before.cpu) * 1e6) / commands).toFixed(1)} µs of the server's processor time for each`,
  )
  console.log('of them within the command itself, µs:')
  for (const [, name, calls, each] of after.info.matchAll(
    /^cmdstat_(\S+):calls=(\d+),usec=\d+,usec_per_call=([\d.]+)/gm,
  )) {
    if (Number(calls) > commands / 1_000)
      console.log(`  ${name?.padEnd(12)} ${each?.padStart(8)}   ${calls} calls`)
  }
  admin.destroy()
  await server.stop()
}

const [first, until] = process.argv.slice(2)
if (until === undefined) await measure(Number(first ?? 10))
else await work(first ?? '', Number(until))
