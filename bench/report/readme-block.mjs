/** The figures of README.md, as Markdown. Pure. */

import { duration, times } from '../harness/table.mjs'

const GROWTH = { 'hit-growth': 'a fresh hit', invalidate: 'an invalidation', 'memory-growth': 'memory' }

/** `charts`: the names of those that were made. */
export function readmeBlock(results, charts) {
  const { questions } = results
  const rows = [
    ...hits(questions['fresh-hit']?.cases['flat key']),
    ...one('Miss, trivial `queryFn`', questions.miss?.cases['new key each call']),
    ...one('10,000 callers on one cold key, each', questions.dedupe?.cases['cold key']),
    ...one('Invalidate 10 of 100,000 entries', questions.invalidate?.cases['100,000 entries']),
  ]
  const held = results.budgets.filter((budget) => budget.isHeld).length
  const measured = results.budgets.filter((budget) => budget.isHeld !== undefined).length
  const unmeasured = results.budgets.length - measured
  return [
    '| | StackQuery | floor | TanStack Query | BentoCache | async-cache-dedupe | lru-cache |',
    '|---|--:|--:|--:|--:|--:|--:|',
    ...rows,
    '',
    ...memory(questions.memory?.cases['100,000 entries']),
    `Floor: the least that any library could do, such as an async function that does one \`Map.get\`. Medians of interleaved`,
    `rounds, ${results.date.slice(0, 10)}, Node ${results.node.slice(1)}, ${results.cpu}, ${results.cores} cores; ${held} of ${measured} measured budgets held${unmeasured === 0 ? '' : `, ${unmeasured} not measured in this run`}.`,
    '`npm run bench` measures them where you are, `bench/results/latest.json` has all of it, and [budgets.md](bench/results/budgets.md)',
    'says which budgets are held on which runtime.',
    ...growth(charts),
  ].join('\n')
}

function growth(charts) {
  const links = Object.entries(GROWTH)
    .filter(([name]) => charts.includes(name))
    .map(([name, what]) => `[${what}](bench/results/${name}.svg)`)
  return links.length === 0 ? [] : ['', `How it grows with the number of entries: ${links.join(', ')}.`]
}

function memory(rows) {
  const bytes = (name) => Math.round(rows[name].nanoseconds)
  const ours = ['stackquery, set', 'stackquery, fetched, one queryFn for all', 'stackquery, fetched']
  if (
    rows === undefined ||
    [...ours, 'tanstack, fetched'].some((name) => rows[name]?.nanoseconds === undefined)
  )
    return []
  const [set, shared, own] = ours.map(bytes)
  const [floor] = Object.keys(rows).map(bytes)
  return [
    `Among 100,000, an entry takes ${set} bytes beyond its key and data when it was set, ${shared} when fetched, and ${own} when fetched with a`,
    `function of its own, which is kept for refetches; ${floor} in a bare \`Map\` of \`{ data, t }\`, ${bytes('tanstack, fetched')} in TanStack Query.`,
    '',
  ]
}

function hits(rows) {
  return [
    ...line('Fresh hit', rows, 'stackquery, fresh options', 'tanstack, fresh options'),
    ...line(
      'Fresh hit, `queryOptions()` reused',
      rows,
      'stackquery, queryOptions() reused',
      'tanstack, options reused',
    ),
  ]
}

function one(label, rows) {
  return line(label, rows, 'stackquery', 'tanstack')
}

function line(label, rows, ours, tanstack) {
  if (rows === undefined) return []
  const own = rows[ours]?.nanoseconds
  const cell = (name) => {
    const value = rows[name]?.nanoseconds
    if (value === undefined) return ''
    return name === ours ? `**${duration(value)}**` : `${duration(value)} (${times(value / own)} x)`
  }
  const floor = Object.keys(rows)[0]
  const cells = [ours, floor, tanstack, 'bentocache', 'async-cache-dedupe', 'lru-cache'].map(cell)
  return [`| ${label} | ${cells.join(' | ')} |`]
}
