// @ts-check
/**
 * `npm test`: every check of the project, the cheap ones first, stopping at the first that fails.
 *
 * Each step is an npm script that can be called alone. The last line is `N passed, N failed`: the numbers of
 * tests, taken from vitest's own report; where vitest made no report there is no such line.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const STEPS = [
  { script: 'lint', what: 'format and lint' },
  { script: 'typecheck', what: 'types of sources, tests and scripts' },
  { script: 'build', what: 'dist/, and that exports and sources agree' },
  { script: 'test:types', what: "types as a user's compiler sees them" },
  { script: 'test:package', what: 'the package: publint, are the types wrong' },
  { script: 'test:unit', what: 'tests, the check of layers among them' },
]
const REPORT = '.cache/vitest.json'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
mkdirSync('.cache', { recursive: true })
rmSync(REPORT, { force: true })

/** @type {string[]} */
const done = []
let failed = ''
for (const { script, what } of STEPS) {
  console.log(`\n> npm run ${script}   (${what})`)
  const extra =
    script === 'test:unit' ? ['--', '--reporter=default', '--reporter=json', `--outputFile=${REPORT}`] : []
  const started = Date.now()
  const { status } = spawnSync('npm', ['run', '--silent', script, ...extra], { stdio: 'inherit' })
  const seconds = ((Date.now() - started) / 1000).toFixed(1)
  done.push(
    `  ${status === 0 ? 'ok    ' : 'FAILED'}  npm run ${script.padEnd(14)} ${seconds.padStart(6)} s   ${what}`,
  )
  if (status !== 0) {
    failed = script
    break
  }
}
for (const { script, what } of STEPS.slice(done.length))
  done.push(`  not run npm run ${script.padEnd(14)} ${''.padStart(6)}     ${what}`)
console.log(`\n${done.join('\n')}\n`)

const counts = readCounts()
if (counts) {
  for (const file of counts.unloaded) console.log(`could not be run: ${file}`)
  for (const name of counts.skipped) console.log(`skipped: ${name}`)
  if (counts.passed + counts.failed === 0) failed ||= 'test:unit'
}
if (failed) console.log(`npm run ${failed} failed.`)
if (counts) {
  const skipped = counts.skipped.length > 0 ? `, ${counts.skipped.length} skipped` : ''
  console.log(`${counts.passed} passed, ${counts.failed} failed${skipped}`)
}
process.exitCode = failed ? 1 : 0

function readCounts() {
  let report
  try {
    report = JSON.parse(readFileSync(REPORT, 'utf8'))
  } catch {
    // The tests did not come to run, or vitest itself broke: no report, no numbers.
    return undefined
  }
  /** @typedef {{ status: string, fullName: string }} Test */
  /** @type {{ name: string, status: string, assertionResults: Test[] }[]} */
  const files = report.testResults
  const tests = files.flatMap((file) => file.assertionResults)
  return {
    passed: Number(report.numPassedTests),
    failed: Number(report.numFailedTests),
    skipped: tests.filter((test) => !['passed', 'failed'].includes(test.status)).map((test) => test.fullName),
    unloaded: files
      .filter(
        (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
      )
      .map((file) => file.name),
  }
}
