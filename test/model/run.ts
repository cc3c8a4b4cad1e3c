/**
 * `npm run test:model -- --runs 100000 --seed 1`: schedules in two processes, until one fails or all have passed.
 *
 * `--seed S --path P` runs one failing schedule again and tells its story; both are printed with a failure. `--shards N`
 * processes, `--no-shrink` stops at the first failure as it is.
 */

import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Failure, runChunk, runShard, tell } from './shard.ts'

export interface RunOptions {
  readonly runs: number
  readonly seed: number
  readonly shards: number
  readonly shrinks: boolean
  readonly onProgress?: ((runs: number) => void) | undefined
  /** The file to run, where it is not this one: a copy with a bug in it. */
  readonly file?: string | undefined
}

export interface RunResult {
  readonly runs: number
  readonly failure: Failure | null
  readonly story: string
}

type Message =
  | { readonly progress: number }
  | { readonly runs: number; readonly failure: Failure | null; readonly story: string }

const LOADER = new URL('../typescript-loader.mjs', import.meta.url).href

/** Runs schedules in `shards` processes; resolves with the first failure, or when all have passed. */
export async function runModel(options: RunOptions): Promise<RunResult> {
  const { runs, seed, shards, shrinks, onProgress, file = fileURLToPath(import.meta.url) } = options
  const done = new Array<number>(shards).fill(0)
  const sum = (): number => done.reduce((all, each) => all + each, 0)
  const children = done.map((_, index) => {
    const args = ['--shard', '--runs', `${Math.ceil(runs / shards)}`, '--seed', `${seed + index * 7_919}`]
    return fork(file, shrinks ? args : [...args, '--no-shrink'], { execArgv: ['--import', LOADER] })
  })
  const results = children.map(
    (child, index) =>
      new Promise<RunResult>((resolve, reject) => {
        child.on('message', (message: Message) => {
          if ('progress' in message) {
            done[index] = message.progress
            onProgress?.(sum())
          } else {
            done[index] = message.runs
            resolve(message)
          }
        })
        child.on('exit', (code) => reject(new Error(`A shard ended with ${code} before it had a result.`)))
        child.on('error', reject)
      }),
  )
  const stop = new Promise<RunResult>((resolve) => {
    for (const result of results)
      result.then(
        (each) => {
          if (each.failure !== null) resolve({ ...each, runs: sum() })
        },
        () => {},
      )
  })
  try {
    const all = Promise.all(results).then((): RunResult => ({ runs: sum(), failure: null, story: '' }))
    return await Promise.race([stop, all])
  } finally {
    for (const child of children) child.kill('SIGKILL')
  }
}

function report({ violation, seed, path, shrinks }: Failure, story: string): string {
  return [
    `${violation.promise} is violated: ${violation.what}`,
    `replay: npm run test:model -- --seed=${seed} --path ${path}   (shrunk ${shrinks} times)`,
    '',
    story,
  ].join('\n')
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '3000' },
      seed: { type: 'string', default: `${Date.now() % 1_000_000}` },
      path: { type: 'string' },
      shards: { type: 'string', default: '2' },
      shard: { type: 'boolean', default: false },
      'no-shrink': { type: 'boolean', default: false },
    },
  })
  const [runs, seed] = [Number(values.runs), Number(values.seed)]
  const shrinks = !values['no-shrink']
  if (values.shard) {
    // Who asked is gone: nobody is interested any more.
    process.on('disconnect', () => process.exit())
    const onProgress = (progress: number): unknown => process.send?.({ progress })
    const { runs: done, failure } = await runShard({ runs, seed, shrinks, onProgress })
    const story = failure === null ? '' : await tell(failure.schedule)
    process.send?.({ runs: done, failure, story }, () => process.disconnect())
    return
  }
  if (values.path !== undefined) {
    const failure = await runChunk(1, seed, false, values.path)
    console.log(failure === null ? 'The schedule passes.' : report(failure, await tell(failure.schedule)))
    process.exitCode = failure === null ? 0 : 1
    return
  }
  const started = performance.now()
  const seconds = (): string => ((performance.now() - started) / 1_000).toFixed(0)
  let told = 0
  const onProgress = (done: number): void => {
    if (done < told + 5_000) return
    told = done
    console.log(`${done} schedules, ${seconds()} s`)
  }
  console.log(`model checker: ${runs} schedules, seed ${seed}`)
  const result = await runModel({ runs, seed, shards: Number(values.shards), shrinks, onProgress })
  if (result.failure !== null) console.log(report(result.failure, result.story))
  console.log(
    `${result.runs} schedules in ${seconds()} s, ${result.failure === null ? 'no violation' : '1 violation'}`,
  )
  process.exitCode = result.failure === null ? 0 : 1
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
