/** Runs both programs, mode by mode, and prints p50, p99 and max of get and set. See README.md. */

import { fork, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { keys, modes, processes, ttl, valueBytes } from './workload.mjs'

const here = (name) => fileURLToPath(new URL(name, import.meta.url))
const python = process.env.PYTHON ?? '/usr/bin/python3'

function startNode(directory, mode) {
  const child = fork(here('stackquery-process.mjs'), [directory, mode])
  const next = () => new Promise((resolve) => child.once('message', resolve))
  return { ready: next(), go: () => child.send('go'), result: next }
}

function startPython(directory, mode) {
  const workload = JSON.stringify({ ...modes[mode], keys, valueBytes, ttl })
  const child = spawn(python, [here('diskcache_process.py'), directory, workload], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout })
  const next = () => new Promise((resolve) => lines.once('line', resolve))
  return { ready: next(), go: () => child.stdin.end('go\n'), result: async () => JSON.parse(await next()) }
}

async function measure(start, mode, hasDirectory) {
  const directory = hasDirectory ? mkdtempSync(join(tmpdir(), 'disk-bench-')) : ''
  const children = Array.from({ length: processes }, () => start(directory, mode))
  await Promise.all(children.map((child) => child.ready))
  const results = children.map((child) => child.result())
  for (const child of children) child.go()
  const all = await Promise.all(results)
  await new Promise((resolve) => setTimeout(resolve, 500))
  if (hasDirectory) rmSync(directory, { recursive: true, force: true })
  return all
}

function summary(name, results) {
  const figures = { program: name }
  for (const kind of ['get', 'set']) {
    const times = results.flatMap((result) => result[kind]).sort((a, b) => a - b)
    const at = (share) =>
      Number(times[Math.min(times.length - 1, Math.floor(times.length * share))].toFixed(3))
    Object.assign(figures, { [`${kind} p50`]: at(0.5), [`${kind} p99`]: at(0.99), [`${kind} max`]: at(1) })
  }
  const loops = results
    .map((result) => result.eventLoop)
    .filter(Boolean)
    .sort((a, b) => a - b)
  if (loops.length > 0) figures['event loop p99'] = `${loops[0].toFixed(1)} to ${loops.at(-1).toFixed(1)}`
  return figures
}

for (const mode of Object.keys(modes)) {
  console.log(`\n${processes} processes, ${mode}`)
  console.table([
    summary('stackquery/disk', await measure(startNode, mode, true)),
    summary('python3-diskcache', await measure(startPython, mode, true)),
    summary('no storage', await measure(startNode, mode, false)),
  ])
}
