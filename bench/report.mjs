/**
 * `node bench/report.mjs`: makes of bench/results/latest.json the charts (bench/results/*.svg) and the block of README.md
 * between its two marks. `--check` changes nothing and fails where README says something else than the results.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { barChart, lineChart } from './report/chart.mjs'
import { readmeBlock } from './report/readme-block.mjs'

const BEGIN = '<!-- bench:begin -->'
const END = '<!-- bench:end -->'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))

const results = JSON.parse(readFileSync('bench/results/latest.json', 'utf8'))
const readme = readFileSync('README.md', 'utf8')
const [start, end] = [readme.indexOf(BEGIN), readme.indexOf(END)]
if (start < 0 || end < start) {
  console.error(`README.md has no block ${BEGIN} … ${END} to write the figures into.`)
  process.exit(1)
}
const next = `${readme.slice(0, start + BEGIN.length)}\n${readmeBlock(results)}\n${readme.slice(end)}`

if (process.argv.includes('--check')) {
  if (next !== readme) {
    console.error(
      'The figures of README.md are not those of bench/results/latest.json: node bench/report.mjs',
    )
    process.exit(1)
  }
} else {
  writeFileSync('README.md', next)
  for (const [name, svg] of Object.entries(charts(results.questions))) {
    writeFileSync(`bench/results/${name}.svg`, svg)
    console.log(`bench/results/${name}.svg`)
  }
  console.log('README.md')
}

function charts(questions) {
  const made = {}
  const hit = questions['fresh-hit']?.cases['flat key']
  if (hit) made['fresh-hit'] = barChart('Fresh hit: nanoseconds a call (logarithmic)', bars(hit))
  const memory = questions.memory?.cases['100,000 entries']
  if (memory) made.memory = barChart('Bytes per entry beyond key and data', bars(memory))
  const growth = growthOf(questions.invalidate?.cases)
  if (growth)
    made.invalidate = lineChart('Invalidating 10 entries: microseconds, by entries in the cache', growth)
  return made
}

function bars(rows) {
  return Object.entries(rows)
    .filter(([, row]) => row.error === undefined)
    .map(([label, { nanoseconds }]) => ({ label, value: nanoseconds }))
    .sort((a, b) => a.value - b.value)
}

/** A line for each contestant: entries → microseconds. */
function growthOf(cases) {
  if (cases === undefined) return undefined
  const lines = {}
  for (const [caseName, rows] of Object.entries(cases)) {
    const entries = Number(caseName.replace(/\D/g, ''))
    for (const [name, row] of Object.entries(rows)) {
      if (row.error !== undefined) continue
      lines[name] ??= []
      lines[name].push([entries, row.nanoseconds / 1e3])
    }
  }
  return lines
}
