// @ts-check
/** `npm run test:fuzz -- --runs 1000000 --seed 7`: the fuzz tests of test/fuzz/, as many runs as wanted. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
const { values } = parseArgs({
  options: { runs: { type: 'string', default: '1000000' }, seed: { type: 'string', default: '1' } },
})
const started = performance.now()
const { status } = spawnSync('npx', ['vitest', 'run', 'test/fuzz'], {
  stdio: 'inherit',
  env: { ...process.env, FUZZ_RUNS: values.runs, FUZZ_SEED: values.seed },
})
console.log(
  `${values.runs} runs, seed ${values.seed}: ${((performance.now() - started) / 1000).toFixed(1)} s`,
)
process.exitCode = status ?? 1
