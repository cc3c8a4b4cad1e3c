/**
 * One of the processes: waits for "go", works, sends its figures and the number of its last write to each of its keys.
 * Arguments: storage, directory, mode, index of the process. In mode "check" it is sent what all have written, and
 * answers how much of it is not there.
 */

import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { storages } from './storages.mjs'
import { keysEach, modes, processes, ttl, valueBytes } from './workload.mjs'

const [name, directory, mode, own] = process.argv.slice(2)
const storage = storages[name](directory)
const keyOf = (owner, index) => `p${owner}:k${index}`
const textOf = (number) => `${number}`.padEnd(valueBytes, 'v')
const random = (limit) => Math.floor(Math.random() * limit)
await storage?.get('warm')
process.send('ready')
const message = await new Promise((resolve) => process.once('message', resolve))

if (mode === 'check') {
  let lost = 0
  for (const [key, number] of Object.entries(message)) {
    if ((await storage?.get(key)) !== textOf(number)) lost++
  }
  await storage?.close()
  process.send({ lost: storage ? lost : 0 }, () => process.disconnect())
} else {
  const { operations, pause } = modes[mode]
  const set = []
  const get = []
  const last = {}
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  for (let number = 0; number < operations; number++) {
    const isWrite = number % 10 === 0
    const key = keyOf(isWrite ? own : random(processes), random(keysEach))
    const from = performance.now()
    if (isWrite) {
      await (storage
        ? storage.set(key, textOf(number), ttl)
        : new Promise((resolve) => setImmediate(resolve)))
      set.push(performance.now() - from)
      last[key] = number
    } else {
      await storage?.get(key)
      get.push(performance.now() - from)
    }
    if (pause > 0) await sleep(pause)
  }
  delay.disable()
  await storage?.close()
  process.send({ set, get, last, eventLoop: delay.percentile(99) / 1e6 }, () => process.disconnect())
}
