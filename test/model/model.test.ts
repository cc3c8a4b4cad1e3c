/** The ordinary share of the model checker: some thousands of schedules, the regressions, and the quickest mutants. */
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { describe, expect, test } from 'vitest'
import { hunt, mutated } from './mutations/mutant.ts'
import { MUTATIONS } from './mutations/mutation-list.ts'
import { readTable } from './mutations/table.ts'
import { REGRESSIONS } from './regressions/regressions.ts'
import { runModel } from './run.ts'
import { tell } from './shard.ts'
import { World } from './world.ts'

const RUNS = 2_000
const MUTANTS = [
  'hard tokens are not compared',
  'an overtaken fetch is stored as fresh',
  'drops are not counted',
]
const shards = Math.min(2, availableParallelism())

test.each(REGRESSIONS)('$name: no more', async ({ schedule }) => {
  const violation = await new World(schedule, false).run()
  expect(violation, violation === null ? '' : await tell(schedule)).toBeNull()
})

test(`${RUNS} random schedules violate no promise`, { timeout: 600_000 }, async () => {
  // Always the same ones, so that a red run is everybody's; `npm run test:model` draws new ones.
  const { failure, story, runs } = await runModel({ runs: RUNS, seed: 20_240_101, shards, shrinks: true })
  expect(
    failure === null ? null : `${failure.violation.promise}: ${failure.violation.what}\n${story}`,
  ).toBeNull()
  expect(runs).toBeGreaterThanOrEqual(RUNS)
})

test('every bug of the list finds its place in the sources', () => {
  for (const mutation of MUTATIONS) {
    const source = readFileSync(new URL(`../../src/${mutation.file}`, import.meta.url), 'utf8')
    expect(mutated(source, mutation)).not.toBe(source)
  }
})

test('every bug of the list has been caught within 10,000 schedules, by the table', () => {
  const table = readTable()
  const missing = MUTATIONS.filter(({ name }) => {
    const row = table.get(name)
    return row === undefined || !/^P\d+$/.test(row['seen as']) || Number(row.schedules) > 10_000
  })
  expect(missing.map(({ name }) => name)).toEqual([])
})

describe('the checker catches', () => {
  test.each(MUTATIONS.filter(({ name }) => MUTANTS.includes(name)))(
    '"$name"',
    { timeout: 600_000 },
    async (mutation) => {
      const { failure } = await hunt(mutation, 3_000, 1, shards)
      expect(failure?.violation.promise).toBeDefined()
    },
  )
})
