/**
 * `npm run test:mutants -- --runs 10000 --seed 1 [--only WORD] [--missing]`: each bug of the list must be caught within so
 * many schedules. Prints a row for each and puts it into `table.md`; `--missing`: only those that have no row there, or
 * survived.
 */

import { parseArgs } from 'node:util'
import { hunt } from './mutant.ts'
import { MUTATIONS } from './mutation-list.ts'
import { printRow, readTable, rowOf, writeTable } from './table.ts'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    missing: { type: 'boolean', default: false },
    shards: { type: 'string', default: '2' },
  },
})

let survivors = 0
const isCaught = (name: string): boolean => /^P\d/.test(readTable().get(name)?.['seen as'] ?? '')
for (const mutation of MUTATIONS) {
  if (!mutation.name.includes(values.only) || (values.missing && isCaught(mutation.name))) continue
  const result = await hunt(mutation, Number(values.runs), Number(values.seed), Number(values.shards))
  if (result.failure === null) survivors++
  const row = rowOf(mutation, result)
  console.log(printRow(row))
  // After each: a run may be ended early.
  writeTable(readTable().set(mutation.name, row))
}
console.log(`\n${survivors === 0 ? 'all caught' : `${survivors} survived`}`)
process.exitCode = survivors === 0 ? 0 : 1
