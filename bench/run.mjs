/**
 * `npm run bench`: installs the peers (bench/node_modules, by its own lock file, nothing where it is up to date), builds
 * dist/ and puts it beside them as a user would have it, asks the questions, prints tables and writes the results.
 *
 *   --quick              fewer and shorter rounds, no case of a million entries: to see that it runs
 *   --only a,b           these questions alone; the results of the others stay as they were
 *   --check              fails where a budget is missed
 *   --no-build           takes dist/ as it is
 *   --runtime node@22    the contestants run on another runtime, which is installed outside of the project: node@<version>,
 *                        bun, or the path of a binary; its results are written to a file of their own
 */

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { judge } from './budgets.mjs'
import { install, versions } from './harness/install.mjs'
import { machine } from './harness/machine.mjs'
import { runQuestion } from './harness/run-question.mjs'
import { runtime } from './harness/runtime.mjs'
import { budgetTable, caseTable } from './harness/table.mjs'

const { values: options } = orSay(() =>
  parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      check: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true },
      'no-build': { type: 'boolean', default: false },
      runtime: { type: 'string' },
    },
  }),
)

process.chdir(fileURLToPath(new URL('.', import.meta.url)))

const { command: execPath, version } = orSay(() => runtime(options.runtime))
const pace = options.quick
  ? { isQuick: true, passes: 1, rounds: 5, target: 8, execPath }
  : { isQuick: false, passes: 3, rounds: 9, target: 20, execPath }
/** The runtime as it was asked for, where it was by name: a later patch of it takes the place of the earlier one. */
const suffix =
  options.runtime === undefined
    ? ''
    : `-${existsSync(options.runtime) ? version : options.runtime}`.replace(/[@ ]/, '-')
const RESULTS = `results/${options.quick ? 'quick' : 'latest'}${suffix}.json`

const all = readdirSync('questions').map((file) => file.replace(/\.mjs$/, ''))
const wanted = options.only?.flatMap((names) => names.split(',')) ?? all
const unknown = wanted.filter((name) => !all.includes(name))
if (unknown.length > 0) refuse(`No question ${unknown.join(', ')}; there are ${all.join(', ')}.`)

install({ skipBuild: options['no-build'] })

const results = {
  date: new Date().toISOString(),
  isQuick: pace.isQuick,
  ...machine(),
  node: version,
  versions: versions(),
  questions: earlier().questions ?? {},
}
for (const name of wanted) {
  const { question } = await import(`./questions/${name}.mjs`)
  console.log(`\n${question.title} (${name})`)
  const cases = await runQuestion(question, pace, console.log)
  const asked = { title: question.title, unit: question.unit, date: results.date, node: results.node, cases }
  results.questions[name] = asked
  for (const [caseName, rows] of Object.entries(cases)) console.log(caseTable(question, caseName, rows))
}

results.budgets = judge(results.questions)
mkdirSync('results', { recursive: true })
writeFileSync(RESULTS, `${JSON.stringify(results, null, 1)}\n`)
console.log(`\nBudgets\n${budgetTable(results.budgets)}\nwritten to bench/${RESULTS}`)

const missed = results.budgets.filter((budget) => wanted.includes(budget.question) && budget.isHeld === false)
const unmeasured = results.budgets.filter(
  (budget) => wanted.includes(budget.question) && budget.isHeld === undefined && !pace.isQuick,
)
if (options.check && missed.length + unmeasured.length > 0) {
  console.log(`${missed.length} budgets missed, ${unmeasured.length} could not be measured`)
  process.exitCode = 1
}

function earlier() {
  try {
    return JSON.parse(readFileSync(RESULTS, 'utf8'))
  } catch {
    return {}
  }
}

/** What cannot be asked for is said, without a stack. */
function orSay(work) {
  try {
    return work()
  } catch (error) {
    return refuse(error.message)
  }
}

function refuse(message) {
  console.error(message)
  process.exit(2)
}
