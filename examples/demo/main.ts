/**
 * The demo from its command line to its exit code.
 *
 * It owns the origin, the worker processes and the temporary folder, and leaves none of them behind, whatever ends it: the
 * time, a signal, a crash of a worker, or an error of its own.
 */

import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { StorageBackend } from 'stackquery'
import { count } from './figures.ts'
import { Fleet, type Restart } from './fleet.ts'
import { FleetCheck } from './fleet-check.ts'
import { describe, type Options, parseCommand, type StorageChoice, USAGE } from './options.ts'
import { Origin } from './origin.ts'
import { Progress } from './progress.ts'
import { report } from './report.ts'
import { openStorage, sweep } from './storage.ts'
import { addTally, countText, emptyTally, timesOf } from './tally.ts'

/** Over all workers. */
const VISITORS = 96
/** When, in shares of the time, a worker is killed. */
const KILL_AT = 0.45
/** How long it reads again, at least: on a slow machine the run is longer for it. */
const READ_AGAIN = 0.25
/** Notes of one kind that are shown. */
const MOST_NOTES = 4
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Why a run ends before its time. */
class EarlyEnd extends Error {
  readonly exitCode: number

  constructor(message: string, exitCode: number) {
    super(message)
    this.exitCode = exitCode
  }
}

const command = parseCommand(process.argv.slice(2), process.env['INIT_CWD'] ?? process.cwd())
if (command.name === 'help') {
  console.log(USAGE)
} else if (command.name === 'wrong') {
  refuse(command.message)
} else {
  const prepared = prepare(command.options)
  if (prepared !== undefined) process.exitCode = await run(prepared)
}

function refuse(message: string): void {
  console.error(`${message}\n\n${USAGE}`)
  process.exitCode = 2
}

interface Prepared {
  readonly options: Options
  /** To be removed at the end. */
  readonly folder: string | undefined
  /** A storage of the user's, out of which this run has to be swept at the end. */
  readonly lasting: StorageBackend | undefined
  readonly notes: readonly string[]
}

/** Finds a place for L2; `undefined` where the command line names one that cannot be. */
function prepare(options: Options): Prepared | undefined {
  const { storage } = options
  if (storage.kind === 'memory' || storage.kind === 'none') {
    return { options, folder: undefined, lasting: undefined, notes: [] }
  }
  if (storage.kind === 'redis' || storage.path !== undefined) {
    try {
      return { options, folder: undefined, lasting: openStorage(storage), notes: [] }
    } catch (error) {
      refuse(`--storage: ${(error as Error).message}`)
      return undefined
    }
  }
  try {
    const folder = mkdtempSync(join(tmpdir(), 'stackquery-demo-'))
    const path = join(folder, storage.kind === 'sqlite' ? 'cache.db' : 'cache')
    return { options: { ...options, storage: { ...storage, path } }, folder, lasting: undefined, notes: [] }
  } catch (error) {
    const none: StorageChoice = { kind: 'none' }
    const note = `No temporary folder, so no L2: ${(error as Error).message}`
    return { options: { ...options, storage: none }, folder: undefined, lasting: undefined, notes: [note] }
  }
}

async function run({ options, folder, lasting, notes }: Prepared): Promise<number> {
  const secret = randomUUID()
  const namespace = `demo-${secret.slice(0, 8)}`
  const early = new AbortController()
  const tally = emptyTally()
  const origin = new Origin(secret)
  const originUrl = await origin.listen()
  const visitors = Math.round(VISITORS / options.workers)
  const settings = { originUrl, secret, namespace, storage: options.storage, visitors }
  const check = new FleetCheck()
  const isShared = options.storage.kind !== 'memory' && options.storage.kind !== 'none'
  const logged = new Map<string, number>()
  const fleet: Fleet = new Fleet(options.workers, settings, {
    onReport: (each, worker, life) => {
      addTally(tally, each.tally)
      if (isShared) check.take(`worker ${worker}${life > 0 ? `, restarted` : ''}`, each.account)
    },
    onLog: (worker, text) => {
      // Workers have much the same to say of the same outage.
      const kind = text.replaceAll(/\d+/g, '#')
      const times = (logged.get(kind) ?? 0) + 1
      logged.set(kind, times)
      if (times <= MOST_NOTES)
        progress.note(`worker ${worker}: ${text}${times === MOST_NOTES ? ' (and so on)' : ''}`)
    },
    onCrash: (message) => early.abort(new EarlyEnd(message, 1)),
  })
  const progress = new Progress({
    output: process.stdout,
    isPlain: options.isPlain,
    length: options.seconds * 1000,
    status: () => ({ tally, origin, isStorageAway: fleet.isStorageAway }),
  })
  const removeFolder = (): void => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  const atExit = (): void => {
    fleet.killNow()
    removeFolder()
  }
  const interrupt = (signal: NodeJS.Signals): void => {
    const exitCode = 128 + constants.signals[signal]
    // Whoever asks twice does not want to wait.
    if (early.signal.aborted) process.exit(exitCode)
    early.abort(new EarlyEnd(`${signal}: stopping.`, exitCode))
  }
  process.on('exit', atExit)
  // Nobody reads any more, as with `| head`.
  process.stdout.on('error', () => process.exit(128 + constants.signals.SIGPIPE))
  for (const signal of SIGNALS) process.on(signal, interrupt)

  try {
    for (const note of notes) progress.note(note)
    const restart = await play(options, fleet, origin, progress, early.signal)
    progress.end()
    const verdict = check.judge()
    for (const [text, times] of verdict.violations) countText(tally.violations, text, times)
    console.log(`\n${report({ options, tally, verdict, origin, counters: fleet.counters, restart })}`)
    return timesOf(tally.violations) > 0 ? 1 : 0
  } catch (error) {
    progress.end()
    if (!(error instanceof EarlyEnd)) throw error
    console.error(error.message)
    return error.exitCode
  } finally {
    await fleet.destroy()
    origin.close()
    if (lasting !== undefined) await leave(lasting, fleet.isStorageAway ? undefined : namespace)
    removeFolder()
    process.off('exit', atExit)
    for (const signal of SIGNALS) process.off(signal, interrupt)
  }
}

/** Resolves with what became of the worker that was killed; rejects with the reason of `early`. */
async function play(
  options: Options,
  fleet: Fleet,
  origin: Origin,
  progress: Progress,
  early: AbortSignal,
): Promise<Restart> {
  const untilEarly = new Promise<never>((_, reject) => {
    early.addEventListener('abort', () => reject(early.reason), { once: true })
  })
  const unlessEarly = <T>(work: Promise<T>): Promise<T> => Promise.race([work, untilEarly])
  const pause = (milliseconds: number): Promise<void> =>
    unlessEarly(sleep(milliseconds, undefined, { signal: early }).catch(() => untilEarly))

  progress.note(`${count(origin.size)} airports at a slow HTTP origin; L2: ${describe(options.storage)}`)
  await unlessEarly(fleet.start())
  progress.note(`${options.workers} workers read (pids ${fleet.pids.join(', ')})`)
  progress.begin()
  const startedAt = performance.now()
  const length = options.seconds * 1000
  await pause(length * KILL_AT)
  const restart = await unlessEarly(
    fleet.killAndRestart((worker, pid) => progress.note(`worker ${worker} (pid ${pid}) killed with SIGKILL`)),
  )
  progress.note(`worker ${restart.worker} (pid ${fleet.pids.at(-1)}) reads again, with an empty L1`)
  await pause(Math.max(length * READ_AGAIN, length - (performance.now() - startedAt)))
  await unlessEarly(fleet.stop())
  return restart
}

/** Takes this run's entries out of a storage that stays; `undefined`: it is away, and is left alone. */
async function leave(storage: StorageBackend, namespace: string | undefined): Promise<void> {
  const deadline = new AbortController()
  const left = (namespace === undefined ? Promise.resolve() : sweep(storage, namespace))
    .then(() => storage.close?.())
    .catch(() => {})
  await Promise.race([left, sleep(3_000, undefined, { signal: deadline.signal }).catch(() => {})])
  deadline.abort()
}
