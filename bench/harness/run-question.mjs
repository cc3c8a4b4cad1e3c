/**
 * Runs one question: all contestants of a case are set up in processes of their own, then take turns, each beginning
 * a round in its turn, so that what else the machine does hits all alike.
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
  const standing = []
  const drop = async (row, error) => {
    row.error = String(error.message).split('\n', 1)[0]
    log(`    ${row.process.name} failed: ${error.message}`)
    await row.process.end()
  }
  for (const name of Object.keys(question.cases[caseName])) {
    const row = {
      process: new ContestantProcess(question, caseName, name, pace.execPath),
      rounds: [],
      details: [],
    }
    rows[name] = row
    try {
      await row.process.ready()
      const { n } = await row.process.ask('prepare', { settings, target: pace.target })
      row.n = n
      standing.push(row)
    } catch (error) {
      await drop(row, error)
    }
  }
  const count = Math.min(pace.rounds, question.rounds?.(pace) ?? pace.rounds)
  for (let round = 0; round < count; round++) {
    for (let turn = 0; turn < standing.length; turn++) {
      const row = standing[(round + turn) % standing.length]
      if (row.error !== undefined) continue
      try {
        const { ms, ...details } = await row.process.ask('round', { n: row.n })
        row.rounds.push(significant((ms * 1e6) / row.n))
        row.details.push(details)
      } catch (error) {
        await drop(row, error)
      }
    }
  }
  for (const row of standing) {
    if (row.error === undefined) await row.process.ask('finish').catch((error) => drop(row, error))
    await row.process.end()
  }
  return Object.fromEntries(Object.entries(rows).map(([name, row]) => [name, summary(row)]))
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
