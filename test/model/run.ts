import { runShard, tell } from './shard.ts'

const [runs, seed] = process.argv.slice(2).map(Number)
const t = performance.now()
const r = await runShard({ runs: runs ?? 1000, seed: seed ?? 1, shrinks: true })
console.log(r.runs, ((performance.now() - t) / 1000).toFixed(1), 's')
if (r.failure) {
  console.log(r.failure.violation, r.failure.seed, r.failure.path, r.failure.runs, r.failure.shrinks)
  console.log(await tell(r.failure.schedule))
}
