/** One of the processes: waits for "go", works, sends its figures. Arguments: directory, mode. */

import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { DiskCacheStorage } from '../../dist/storages/disk/index.js'
import { keys, modes, ttl, valueBytes } from './workload.mjs'

const [directory, mode] = process.argv.slice(2)
const { operations, pause } = modes[mode]
const storage = directory === '' ? undefined : new DiskCacheStorage(directory)
await storage?.get('warm')
process.send('ready')
await new Promise((resolve) => process.once('message', resolve))

const set = []
const get = []
const value = 'v'.repeat(valueBytes)
const delay = monitorEventLoopDelay({ resolution: 1 })
delay.enable()
for (let index = 0; index < operations; index++) {
  const key = `k${Math.floor(Math.random() * keys)}`
  const from = performance.now()
  if (index % 10 === 0) {
    await (storage ? storage.set(key, value, ttl) : new Promise((resolve) => setImmediate(resolve)))
    set.push(performance.now() - from)
  } else {
    await storage?.get(key)
    get.push(performance.now() - from)
  }
  if (pause > 0) await sleep(pause)
}
delay.disable()
await storage?.close()
process.send({ set, get, eventLoop: delay.percentile(99) / 1e6 }, () => process.disconnect())
