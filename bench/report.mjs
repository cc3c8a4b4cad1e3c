/**
 * `node bench/report.mjs`: makes of bench/results/latest.json the charts (bench/results/*.svg) and the block of README.md
 * between its two marks, and of it and of latest-<runtime>.json the table bench/results/budgets.md. `--check` changes
 * nothing and fails where one of the two says something else than the results.
 */

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { budgetPage } from './report/budget-table.mjs'
import { barChart, lineChart } from './report/chart.mjs'
import { readmeBlock } from './report/readme-block.mjs'

const BEGIN = '<!-- bench:begin -->'
const END = '<!-- bench:end -->'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))

const results = JSON.parse(readFileSync('bench/results/latest.json', 'utf8'))
const RESULTS = 'bench/results'
const BUDGETS = `${RESULTS}/budgets.md`
const runs = readdirSync(RESULTS)
  .filter((name) => /^latest.*\.json$/.test(name))
  .map((name) => JSON.parse(readFileSync(`${RESULTS}/${name}`, 'utf8')))
const budgets = budgetPage(runs)
const readme = readFileSync('README.md', 'utf8')
const [start, end] = [readme.indexOf(BEGIN), readme.indexOf(END)]
if (start < 0 || end < start) {
  console.error(`README.md has no block ${BEGIN} … ${END} to write the figures into.`)
  process.exit(1)
}
const svgs = charts(results.questions)
const next = `${readme.slice(0, start + BEGIN.length)}\n${readmeBlock(results, Object.keys(svgs))}\n${readme.slice(end)}`

if (process.argv.includes('--check')) {
  if (next !== readme) {
    console.error(
      'The figures of README.md are not those of bench/results/latest.json: node bench/report.mjs',
    )
    process.exit(1)
  }
  if (!existsSync(BUDGETS) || readFileSync(BUDGETS, 'utf8') !== budgets) {
    console.error(`${BUDGETS} is not what ${RESULTS}/latest*.json say: node bench/report.mjs`)
    process.exit(1)
  }
} else {
  writeFileSync('README.md', next)
  writeFileSync(BUDGETS, budgets)
  console.log(BUDGETS)
  for (const [name, svg] of Object.entries(svgs)) {
    writeFileSync(`bench/results/${name}.svg`, svg)
    console.log(`bench/results/${name}.svg`)
  }
  console.log('README.md')
}

function charts(questions) {
  const made = {}
  const hit = questions['fresh-hit']?.cases['flat key']
  if (hit) made['fresh-hit'] = barChart('Fresh hit: nanoseconds a call (logarithmic)', bars(hit))
  const memory = questions.memory?.cases
  if (memory?.['100,000 entries'])
    made.memory = barChart(
      'Bytes per entry beyond key and data (logarithmic)',
      bars(memory['100,000 entries']),
    )
  const curves = {
    'memory-growth': ['Bytes per entry beyond key and data, by entries in the cache', memory, 1],
    'hit-growth': [
      'Fresh hit: nanoseconds a call, by entries in the cache',
      questions['hit-by-size']?.cases,
      1,
    ],
    invalidate: [
      'Invalidating 10 entries: microseconds, by entries in the cache',
      questions.invalidate?.cases,
      1e3,
    ],
  }
  for (const [name, [title, cases, unit]] of Object.entries(curves)) {
    const lines = growthOf(cases, unit)
    if (lines !== undefined) made[name] = lineChart(title, lines)
  }
  return made
}

function bars(rows) {
  return Object.entries(rows)
    .filter(([, row]) => row.error === undefined)
    .map(([label, { nanoseconds }]) => ({ label, value: nanoseconds }))
    .sort((a, b) => a.value - b.value)
}

/** A line for each contestant that was asked more than once: entries → nanoseconds / `unit`. */
function growthOf(cases, unit) {
  if (cases === undefined) return undefined
  const lines = {}
  for (const [caseName, rows] of Object.entries(cases)) {
    const entries = Number(caseName.replace(/\D/g, ''))
    for (const [name, row] of Object.entries(rows)) {
      if (row.error !== undefined) continue
      lines[name] ??= []
      lines[name].push([entries, row.nanoseconds / unit])
    }
  }
  const growing = Object.entries(lines).filter(([, line]) => line.length > 1)
  return growing.length === 0 ? undefined : Object.fromEntries(growing)
}
