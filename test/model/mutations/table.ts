/**
 * The record of the hunts: one row for each bug, the newest hunt of it, kept in `table.md` beside this file. A row says on
 * which commit it was got, so that rows of several runs can stand together. Its seed and path replay the schedule, in a
 * tree that has the bug: `npm run test:model -- --seed=S --path P`.
 */

import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { RunResult } from '../run.ts'
import { MUTATIONS, type Mutation } from './mutation-list.ts'

const FILE = fileURLToPath(new URL('table.md', import.meta.url))
const COLUMNS = ['bug', 'breaks', 'seen as', 'schedules', 'seed', 'path', 'commit', 'date'] as const
const HEAD = `# Deliberate bugs, and how soon the checker catches them

Written by \`npm run test:mutants\`. \`schedules\`: how many were run until one failed. \`seen as\`: the promise whose violation
was seen first, which may be another than the one that the bug is meant to break: what it breaks may show elsewhere first.
`

export type Row = Readonly<Record<(typeof COLUMNS)[number], string>>

export function rowOf({ name, promise }: Mutation, { failure, runs }: RunResult): Row {
  return {
    bug: name,
    breaks: promise,
    'seen as': failure === null ? '**survived**' : failure.violation.promise,
    schedules: `${failure === null ? runs : failure.runs}`,
    seed: failure === null ? '' : `${failure.seed}`,
    path: failure === null ? '' : failure.path,
    commit: commit(),
    date: new Date().toISOString().slice(0, 10),
  }
}

/** By bug. */
export function readTable(): Map<string, Row> {
  if (!existsSync(FILE)) return new Map()
  const lines = readFileSync(FILE, 'utf8').split('\n')
  const rows = lines
    .filter((line) => line.startsWith('| '))
    .slice(1)
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .map(
      (cells) => Object.fromEntries(COLUMNS.map((name, i) => [name, cells[i + 1] ?? ''])) as unknown as Row,
    )
  return new Map(rows.map((row) => [row.bug, row]))
}

/** In the order of the list; what is no longer on it is left out. */
export function writeTable(rows: ReadonlyMap<string, Row>): void {
  const known = MUTATIONS.flatMap(({ name }) => rows.get(name) ?? [])
  const lines = [lineOf(COLUMNS), `|${COLUMNS.map(() => '---').join('|')}|`, ...known.map(printRow)]
  writeFileSync(FILE, `${HEAD}\n${lines.join('\n')}\n`)
}

export function printRow(row: Row): string {
  return lineOf(COLUMNS.map((name) => row[name]))
}

function lineOf(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}

/** With a `+` where the sources or the model are not as committed. */
function commit(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: fileURLToPath(new URL('.', import.meta.url)), encoding: 'utf8' }).trim()
  try {
    const changed = git('status', '--porcelain', '--', ':/src', ':/test/model')
      .split('\n')
      .filter((line) => line !== '' && !line.endsWith('table.md'))
    return `${git('rev-parse', '--short=9', 'HEAD')}${changed.length > 0 ? '+' : ''}`
  } catch {
    return 'unknown'
  }
}
