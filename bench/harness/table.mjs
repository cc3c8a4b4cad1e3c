/** Results as text. */

import { pairedRatio } from './statistics.mjs'

/** One row a contestant, the fastest first; ratios are to the first of the case, its floor. */
export function caseTable(question, caseName, rows) {
  const base = Object.values(rows)[0]
  const extra = [...new Set(Object.values(rows).flatMap((row) => Object.keys(row)))].filter(
    (name) => !['nanoseconds', 'lower', 'upper', 'n', 'rounds', 'error'].includes(name),
  )
  const head = [caseName, question.column ?? `per ${question.unit}`, 'quartiles', 'x floor', ...extra]
  const body = Object.entries(rows)
    .sort(([, a], [, b]) => (a.nanoseconds ?? Infinity) - (b.nanoseconds ?? Infinity))
    .map(([name, row]) => {
      if (row.error !== undefined) return [name, 'failed', row.error]
      const show = question.show ?? duration
      return [
        name,
        show(row.nanoseconds),
        `${show(row.lower)} … ${show(row.upper)}`,
        times(pairedRatio(row, base)),
        ...extra.map((figure) => (row[figure] === undefined ? '' : String(row[figure]))),
      ]
    })
  return aligned([head, ...body])
}

export function budgetTable(budgets) {
  const rows = budgets.map(({ isHeld, text, value, limit, sense }) => [
    isHeld === undefined ? '?' : isHeld ? 'held' : 'MISSED',
    text,
    value === undefined ? 'not measured' : times(value),
    `${sense === 'atMost' ? 'at most' : 'at least'} ${times(limit)}`,
  ])
  return aligned([['', 'budget', 'measured', 'limit'], ...rows])
}

export function duration(nanoseconds) {
  if (nanoseconds < 1e3) return `${nanoseconds.toFixed(nanoseconds < 10 ? 1 : 0)} ns`
  if (nanoseconds < 1e6) return `${(nanoseconds / 1e3).toPrecision(3)} µs`
  if (nanoseconds < 1e9) return `${(nanoseconds / 1e6).toPrecision(3)} ms`
  return `${(nanoseconds / 1e9).toPrecision(3)} s`
}

export function times(ratio) {
  if (ratio === undefined) return ''
  return ratio >= 100 ? ratio.toFixed(0) : ratio >= 10 ? ratio.toFixed(1) : ratio.toFixed(2)
}

function aligned(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  const line = (row) => `  ${row.map((cell, column) => cell.padEnd(widths[column])).join('  ')}`.trimEnd()
  return rows.map(line).join('\n')
}
