/** What the questions have in common on the command line: `--storage`, `--runs`, a table, and exit code 1 on a violation. */

import { availableParallelism, release } from 'node:os'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { quantile } from '../../harness/statistics.mjs'

/**
 * Runs `ask` if its file is the one that was called. `defaults`: option name -> default, whose type it takes. `ask` resolves to
 * `{ rows, violations }`; a row is a plain object.
 */
export async function question(fileUrl, title, defaults, ask) {
  if (fileUrl !== pathToFileURL(process.argv[1] ?? '').href) return
  const { values } = parseArgs({
    options: Object.fromEntries(Object.keys(defaults).map((name) => [name, { type: 'string' }])),
  })
  const options = { ...defaults }
  for (const [name, text] of Object.entries(values)) {
    options[name] = typeof defaults[name] === 'number' ? Number(text) : text
  }
  const said = Object.entries(options).map(([name, value]) => `--${name} ${value}`)
  console.log(`${title}\n${said.join(' ')}`)
  console.log(
    `${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, Linux ${release()}, ${availableParallelism()} cores\n`,
  )
  const { rows, violations } = await ask(options)
  printTable(rows)
  for (const violation of violations.slice(0, 10)) console.log(`VIOLATION: ${violation}`)
  console.log(violations.length === 0 ? '\nNo violation.' : `\n${violations.length} violations.`)
  process.exit(violations.length === 0 ? 0 : 1)
}

function printTable(rows) {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  const cells = [columns, ...rows.map((row) => columns.map((column) => shown(row[column])))]
  const widths = columns.map((_, i) => Math.max(...cells.map((line) => line[i].length)))
  cells.splice(
    1,
    0,
    widths.map((width) => '-'.repeat(width)),
  )
  for (const line of cells) console.log(`| ${line.map((cell, i) => cell.padEnd(widths[i])).join(' | ')} |`)
}

function shown(value) {
  if (value === undefined) return ''
  if (typeof value !== 'number') return String(value)
  return Number.isInteger(value) ? String(value) : value.toFixed(Math.abs(value) < 10 ? 2 : 1)
}

/** `p50`, `p99` and `max` of milliseconds, as columns of a row. */
export function spread(name, values) {
  if (values.length === 0) return { [`${name} p50`]: '-' }
  return {
    [`${name} p50`]: quantile(values, 0.5),
    [`${name} p99`]: quantile(values, 0.99),
    [`${name} max`]: Math.max(...values),
  }
}
