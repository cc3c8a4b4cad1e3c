// @ts-check
/**
 * What a fleet costs one Redis, as workers, keys and writes grow: `node bench/scale/run.mjs [--quick]`, after a build. About
 * ten minutes. Prints a table and the formula that fits it (docs/scale.md).
 */
import { fit } from './fit.mjs'
import { runFleet } from './fleet-run.mjs'

const isQuick = process.argv.includes('--quick')
const COMMON = {
  reads: 10,
  staleTime: 30_000,
  warmUp: isQuick ? 1_000 : 10_000,
  length: isQuick ? 1_000 : 5_000,
}
const CELLS = [
  [10, 1_000, 1],
  [10, 1_000, 10],
  [10, 1_000, 100],
  [100, 1_000, 1],
  [100, 1_000, 10],
  [100, 1_000, 100],
  [100, 100, 10],
  [100, 10_000, 10],
  [1_000, 1_000, 1],
  [1_000, 1_000, 10],
  [1_000, 1_000, 100],
].filter(([workers = 0]) => !isQuick || workers < 1_000)

const HEAD = [
  'workers',
  'keys',
  'removals/s',
  'messages/s',
  'L1 misses/s a worker',
  'origin calls/s',
  'commands/s a worker',
  'commands/s',
  'of them the feed',
  'MB/s',
  'one core',
  'removed everywhere p50, p99, most (ms)',
]
console.log(`| ${HEAD.join(' | ')} |\n|${HEAD.map(() => ' ---: |').join('')}`)

const measured = []
for (const [workers = 0, keys = 0, writes = 0] of CELLS) {
  const run = await runFleet({ ...COMMON, workers, keys, writes })
  const { counts, commands, bytes, core, misses, originCalls, reached, unreached, errors, outages } = run
  const messages = run.heard / Math.max(1, workers - 1)
  measured.push({
    workers,
    writes,
    messages,
    misses: misses / workers,
    commands,
    feed: counts['follow']?.commands ?? 0,
  })
  const row = [
    workers,
    keys,
    writes,
    figure(messages),
    figure(misses / workers),
    figure(originCalls),
    figure(commands / workers),
    figure(commands),
    `${((100 * (counts['follow']?.commands ?? 0)) / commands).toFixed(0)} %`,
    (bytes / 1e6).toFixed(2),
    `${(100 * core).toFixed(1)} %`,
    `${reached.p50 ?? '–'}, ${reached.p99 ?? '–'}, ${reached.most ?? '–'}`,
  ]
  console.log(
    `| ${row.map((cell) => (typeof cell === 'number' ? cell.toLocaleString('en-US') : cell)).join(' | ')} |`,
  )
  if (unreached + errors + outages > 0)
    console.log(
      `  (${unreached} removals not everywhere after 1 s, ${errors} errors, ${outages} outages of L2)`,
    )
}
console.log(`\n${fit(measured)}`)

/** @param {number} number */
function figure(number) {
  return number >= 100 ? Math.round(number).toLocaleString('en-US') : number.toPrecision(number >= 10 ? 3 : 2)
}
