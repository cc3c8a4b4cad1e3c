/** What is held of the budgets on which runtime, as Markdown. Pure. */

import { times } from '../harness/table.mjs'

/** `runs`: the results of each runtime. */
export function budgetPage(runs) {
  const columns = [...runs].sort((a, b) => a.node.localeCompare(b.node, 'en', { numeric: true }))
  const places = new Map(columns.flatMap(({ budgets }) => budgets.map((budget) => [budget.text, budget])))
  const cell = ({ budgets }, text) => {
    const { value, isHeld } = budgets.find((budget) => budget.text === text) ?? {}
    if (isHeld === undefined) return 'not measured'
    return isHeld ? times(value) : `**${times(value)}** missed`
  }
  const rows = [...places.values()].map(({ text, sense, limit }) => {
    const bound = `${sense === 'atMost' ? 'at most' : 'at least'} ${times(limit)}`
    return `| ${[text, bound, ...columns.map((run) => cell(run, text))].join(' | ')} |`
  })
  const held = columns.map(({ budgets }) => {
    const measured = budgets.filter(({ isHeld }) => isHeld !== undefined)
    return `${measured.filter(({ isHeld }) => isHeld).length} of ${measured.length}`
  })
  return [
    '# Budgets',
    '',
    'Ratios of rows that were measured side by side in one run, made of `bench/results/latest*.json` by `node bench/report.mjs`.',
    '',
    `| budget | limit | ${columns.map(({ node }) => runtimeName(node)).join(' | ')} |`,
    `|---|--:|${'--:|'.repeat(columns.length)}`,
    ...rows,
    `| held of those measured | | ${held.join(' | ')} |`,
    `| measured on | | ${columns.map(({ date }) => date.slice(0, 10)).join(' | ')} |`,
    '',
  ].join('\n')
}

function runtimeName(version) {
  return version.startsWith('v')
    ? `Node ${version.slice(1)}`
    : version.replace(/^./, (first) => first.toUpperCase())
}
