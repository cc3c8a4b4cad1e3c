/**
 * `npm run test:mutants -- --runs 10000 --seed 1 [--only WORD]`: each bug of the list must be caught within so many
 * schedules. Prints a table: the bug, the promise it breaks, the one whose violation was seen, schedules, the seed.
 */

import { parseArgs } from 'node:util'
import { hunt } from './mutant.ts'
import { MUTATIONS } from './mutation-list.ts'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    shards: { type: 'string', default: '2' },
  },
})

let survivors = 0
console.log('| bug | breaks | seen as | schedules | seed, path |\n|---|---|---|---|---|')
for (const mutation of MUTATIONS) {
  if (!mutation.name.includes(values.only)) continue
  const { failure, runs } = await hunt(
    mutation,
    Number(values.runs),
    Number(values.seed),
    Number(values.shards),
  )
  if (failure === null) survivors++
  const seen = failure === null ? '**survived**' : failure.violation.promise
  const replay = failure === null ? '' : `${failure.seed}, ${failure.path}`
  console.log(`| ${mutation.name} | ${mutation.promise} | ${seen} | ${failure?.runs ?? runs} | ${replay} |`)
}
console.log(`\n${survivors === 0 ? 'all caught' : `${survivors} survived`}`)
process.exitCode = survivors === 0 ? 0 : 1
