/** Runs all programs, mode by mode, and prints p50, p99 and max of get and set, event loop delays and lost writes. */

import { fork, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { storages } from './storages.mjs'
import { keysEach, modes, processes, ttl, valueBytes } from './workload.mjs'

const here = (name) => fileURLToPath(new URL(name, import.meta.url))
const python = process.env.PYTHON ?? '/usr/bin/python3'

const startNode = (name) => (directory, mode, index) => {
  const child = fork(here('stackquery-process.mjs'), [name, directory, mode, String(index)])
  const next = () => new Promise((resolve) => child.once('message', resolve))
  return { ready: next(), tell: (message) => child.send(message), result: next }
}

function startPython(directory, mode, index) {
  const workload = JSON.stringify({ ...modes[mode], processes, keysEach, valueBytes, ttl })
  const child = spawn(python, [here('diskcache_process.py'), directory, workload, String(index)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout })
  const next = () => new Promise((resolve) => lines.once('line', resolve))
  return {
    ready: next(),
    tell: (message) => child.stdin.end(`${JSON.stringify(message)}\n`),
    result: async () => JSON.parse(await next()),
  }
}

async function ask(children, message) {
  await Promise.all(children.map((child) => child.ready))
  const results = children.map((child) => child.result())
  for (const child of children) child.tell(message)
  return Promise.all(results)
}

async function measure(start, mode) {
  const directory = mkdtempSync(join(tmpdir(), 'disk-bench-'))
  const results = await ask(
    Array.from({ length: processes }, (_, index) => start(directory, mode, index)),
    'go',
  )
  const written = Object.assign({}, ...results.map(({ last }) => last))
  const [{ lost }] = await ask([start(directory, 'check', 0)], written)
  await new Promise((resolve) => setTimeout(resolve, 500))
  rmSync(directory, { recursive: true, force: true })
  return { results, lost: `${lost} of ${Object.keys(written).length}` }
}

function summary({ results, lost }) {
  const figures = {}
  for (const kind of ['get', 'set']) {
    const times = results.flatMap((result) => result[kind]).sort((a, b) => a - b)
    const at = (share) =>
      Number(times[Math.min(times.length - 1, Math.floor(times.length * share))].toFixed(3))
    Object.assign(figures, { [`${kind} p50`]: at(0.5), [`${kind} p99`]: at(0.99), [`${kind} max`]: at(1) })
  }
  const loops = results.flatMap(({ eventLoop }) => eventLoop ?? []).sort((a, b) => a - b)
  const delays = loops.map((delay) => delay.toFixed(1)).join(' ')
  return { ...figures, 'lost writes': lost, ...(delays && { 'event loop p99 of each': delays }) }
}

const programs = {
  'python3-diskcache': startPython,
  ...Object.fromEntries(Object.keys(storages).map((name) => [name, startNode(name)])),
}
for (const mode of Object.keys(modes)) {
  console.log(`\n${processes} processes, ${mode}; milliseconds`)
  const rows = {}
  for (const [name, start] of Object.entries(programs)) rows[name] = summary(await measure(start, mode))
  console.table(rows)
}
