/** The demo as a user runs it: real processes, a real SQLite file, real signals. */

import { afterEach, describe, expect, test } from 'vitest'
import { DemoProcess, isAlive } from './demo-process.ts'

const TIMEOUT = 90_000
const running: DemoProcess[] = []

function demo(args: readonly string[], env?: NodeJS.ProcessEnv): DemoProcess {
  const started = new DemoProcess(args, env)
  running.push(started)
  return started
}

afterEach(() => {
  for (const each of running.splice(0)) each.dispose()
})

describe('the demo', { timeout: TIMEOUT }, () => {
  test('reads, loses a worker, goes on, ends with a table and leaves nothing behind', async () => {
    const run = demo(['--workers', '2', '--seconds', '4'])
    expect(await run.end(), run.output).toBe(0)
    expect(run.output).toMatch(/worker 2 \(pid \d+\) killed with SIGKILL/)
    expect(run.output).toMatch(/worker 2 \(pid \d+\) reads again/)
    for (const source of ['L1 fresh', 'L1 stale', 'L2', 'origin'])
      expect(run.output).toMatch(new RegExp(`^${source} +[\\d,]+ +\\d+\\.\\d %`, 'm'))
    expect(run.output).toMatch(/^restarts survived +1 /m)
    expect(run.output).toMatch(/^violations +0 +[\d,]+ answers checked/m)
    expect(run.leftovers()).toEqual([])
  })

  test('goes on with L1 alone where its L2 is not there, and says so', async () => {
    const run = demo(['--workers', '1', '--seconds', '3', '--storage', 'redis://127.0.0.1:1'])
    expect(await run.end(), run.output).toBe(0)
    expect(run.output).toContain('L2 is away')
    expect(run.output).toMatch(/^outages of L2 +[1-9]/m)
    expect(run.output).toMatch(/^errors seen by callers +0 /m)
  })

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s ends its workers and removes its folder, exit code %i', async (signal, code) => {
    const run = demo(['--workers', '2', '--seconds', '600'])
    const pids = await run.pids()
    expect(pids.map(isAlive)).toEqual([true, true])
    run.signal(signal)
    expect(await run.end(), run.output).toBe(code)
    expect(pids.map(isAlive)).toEqual([false, false])
    expect(run.leftovers()).toEqual([])
  })

  test('a worker that ends unplanned is reported, exit code 1', async () => {
    const run = demo(['--workers', '2', '--seconds', '600'])
    const [first = 0, second = 0] = await run.pids()
    process.kill(first, 'SIGKILL')
    expect(await run.end(), run.output).toBe(1)
    expect(run.output).toContain(`Worker 1 (pid ${first}) ended with SIGKILL.`)
    expect(isAlive(second)).toBe(false)
    expect(run.leftovers()).toEqual([])
  })

  test('--help says what there is', async () => {
    const run = demo(['--help'])
    expect(await run.end()).toBe(0)
    for (const option of ['--workers', '--seconds', '--storage', '--plain'])
      expect(run.output).toContain(option)
  })

  test('a wrong option gets the usage, its own value quoted, and exit code 2', async () => {
    const wrong = [
      ['--workers', '0'],
      ['--workers', '-1'],
      ['--seconds', 'ten'],
      ['--storage', 'postgres'],
      ['--storage=redis://'],
      ['--fast'],
    ]
    const runs = wrong.map((args) => demo(args))
    expect(await Promise.all(runs.map((run) => run.end()))).toEqual(wrong.map(() => 2))
    for (const [i, run] of runs.entries()) {
      expect(run.output).toContain('Usage:')
      expect(run.output).toContain(JSON.stringify((wrong[i]?.at(-1) ?? '').replace('--storage=', '')))
    }
  })
})
