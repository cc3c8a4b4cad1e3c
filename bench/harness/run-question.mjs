/**
 * Runs one question: all contestants of a case are set up in processes of their own, then take turns, each beginning
 * a round in its turn, so that what else the machine does hits all alike. Two processes of one program may differ by a
 * tenth for as long as they live (by what was compiled when, and what lies where), so each contestant has several, one after
 * the other.
 */

import { ContestantProcess } from './contestant-process.mjs'
import { median, quantile, significant } from './statistics.mjs'

/** @returns the rows of each case, by name; a contestant that failed is a row with `error` */
export async function runQuestion(question, pace, log) {
  const settings = { isQuick: pace.isQuick, ...(await question.setUp?.(pace)) }
  const cases = {}
  try {
    for (const caseName of Object.keys(question.cases)) {
      if (pace.isQuick && question.slowCases?.includes(caseName)) continue
      log(`  ${caseName}`)
      cases[caseName] = await runCase(question, caseName, settings, pace, log)
    }
  } finally {
    await question.tearDown?.(settings)
  }
  return cases
}

async function runCase(question, caseName, settings, pace, log) {
  const rows = {}
  for (const name of Object.keys(question.cases[caseName])) rows[name] = { name, rounds: [], details: [] }
  const rounds = question.rounds?.(pace) ?? pace.rounds
  // Who says how many takes long for each, and most of them set up what they need in each.
  const passes = question.rounds === undefined ? pace.passes : 1
  for (let pass = 0; pass < passes; pass++) {
    const standing = Object.values(rows).filter(({ error }) => error === undefined)
    await runPass(standing, rounds, { question, caseName, settings, pace, log })
  }
  return Object.fromEntries(Object.values(rows).map((row) => [row.name, summary(row)]))
}

/** So many rounds of each row, in a process of its own. */
async function runPass(rows, rounds, { question, caseName, settings, pace, log }) {
  const standing = []
  const attempt = async (row, work) => {
    try {
      await work()
    } catch (error) {
      row.error = String(error.message).split('\n', 1)[0]
      log(`    ${row.name} failed: ${error.message}`)
      await row.process.end()
    }
  }
  for (const row of rows) {
    row.process = new ContestantProcess(question, caseName, row.name, pace.execPath)
    await attempt(row, async () => {
      await row.process.ready()
      const { n } = await row.process.ask('prepare', { settings, target: pace.target })
      row.n = n
      standing.push(row)
    })
  }
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < standing.length; turn++) {
      const row = standing[(round + turn) % standing.length]
      if (row.error !== undefined) continue
      await attempt(row, async () => {
        const { ms, ...details } = await row.process.ask('round', { n: row.n })
        row.rounds.push(significant((ms * 1e6) / row.n))
        row.details.push(details)
      })
    }
  }
  for (const row of standing) {
    if (row.error === undefined) await attempt(row, () => row.process.ask('finish'))
    await row.process.end()
  }
}

function summary({ rounds, details, n, error }) {
  if (error !== undefined) return { error, rounds: [] }
  const figures = {}
  for (const name of Object.keys(details[0] ?? {})) {
    figures[name] = significant(median(details.map((each) => each[name])))
  }
  return {
    nanoseconds: significant(median(rounds)),
    lower: significant(quantile(rounds, 0.25)),
    upper: significant(quantile(rounds, 0.75)),
    n,
    ...figures,
    rounds,
  }
}
