/**
 * The worker processes: started, killed, restarted and stopped.
 *
 * States of a worker: opening → running → killed (and opening again) | stopping → ended. An end in any other state, or
 * with an error, is a crash, told once. Owns its processes: after `stop` or `destroy` none is left. Every process is
 * ended by its own handle.
 */

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Counters, ReaderSettings, Report } from './reader.ts'
import type { FromWorker, ToWorker } from './worker.ts'

const WORKER = fileURLToPath(new URL('worker.js', import.meta.url))
const OPEN_TIMEOUT = 20_000
const STOP_TIMEOUT = 10_000
/** A closed worker whose L2 hangs in a system call cannot end by itself. */
const END_TIMEOUT = 1_000

export interface FleetListeners {
  /** @param life of a worker: 0 for its first process, 1 for the one after its kill */
  onReport(report: Report, worker: number, life: number): void
  /** A line that a worker has to say. */
  onLog(worker: number, text: string): void
  onCrash(message: string): void
}

export interface Restart {
  readonly worker: number
  /** Milliseconds from the kill until the new process was reading. */
  readonly downFor: number
  /** Of the very first process of this worker, and of the new one. */
  readonly before: Counters | undefined
  readonly after: () => Counters | undefined
}

class Worker {
  readonly number: number
  process: ChildProcess | undefined
  state: 'opening' | 'running' | 'killed' | 'stopping' | 'ended' = 'opening'
  /** Of each process it has had. */
  readonly counters: Counters[] = []
  readonly removed = new Map<string, number>()

  constructor(number: number) {
    this.number = number
  }

  get pid(): number | undefined {
    return this.process?.pid
  }
}

export class Fleet {
  readonly #settings: Omit<ReaderSettings, 'removed'>
  readonly #listeners: FleetListeners
  readonly #workers: readonly Worker[]
  #hasCrashed = false

  constructor(size: number, settings: Omit<ReaderSettings, 'removed'>, listeners: FleetListeners) {
    this.#settings = settings
    this.#listeners = listeners
    this.#workers = Array.from({ length: size }, (_, i) => new Worker(i + 1))
  }

  get pids(): number[] {
    return this.#workers.flatMap((worker) => worker.pid ?? [])
  }

  /** The newest of every process. */
  get counters(): Counters[] {
    return this.#workers.flatMap((worker) => worker.counters)
  }

  /** Whether L2 is away for any worker. */
  get isStorageAway(): boolean {
    return this.#workers.some((worker) => worker.counters.at(-1)?.l2.isAway === true)
  }

  /** Resolves when all have opened their caches; then all begin to read at once. */
  async start(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => this.#open(worker)))
    for (const worker of this.#workers) this.#run(worker)
  }

  /** Kills the last worker with SIGKILL, and starts it again. */
  async killAndRestart(onKilled: (worker: number, pid: number) => void): Promise<Restart> {
    const worker = this.#workers.at(-1) as Worker
    const child = worker.process as ChildProcess
    const killedAt = performance.now()
    worker.state = 'killed'
    child.kill('SIGKILL')
    await once(child, 'exit')
    onKilled(worker.number, child.pid as number)
    const generation = worker.counters.length
    await this.#open(worker)
    this.#run(worker)
    return {
      worker: worker.number,
      downFor: performance.now() - killedAt,
      before: worker.counters[0],
      after: () => worker.counters[generation],
    }
  }

  /** Lets all finish what they do and end by themselves. */
  async stop(): Promise<void> {
    await Promise.all(
      this.#workers.map(async (worker) => {
        const child = worker.process
        if (child === undefined || worker.state === 'ended') return
        worker.state = 'stopping'
        const deadline = setTimeout(() => {
          this.#crashed(worker, `has not closed its cache ${STOP_TIMEOUT / 1000} s after its stop`)
          child.kill('SIGKILL')
        }, STOP_TIMEOUT)
        const ended = once(child, 'exit')
        tell(child, { type: 'stop' })
        await ended
        clearTimeout(deadline)
      }),
    )
  }

  /** Kills what still runs; resolves when nothing does. */
  async destroy(): Promise<void> {
    const living = this.#workers.flatMap(({ process: child }) => (child && isAlive(child) ? child : []))
    const ended = living.map((child) => once(child, 'exit'))
    this.killNow()
    await Promise.all(ended)
  }

  /** The same without waiting, for the very end of this process. */
  killNow(): void {
    for (const worker of this.#workers) {
      worker.state = 'ended'
      if (worker.process && isAlive(worker.process)) worker.process.kill('SIGKILL')
    }
  }

  #open(worker: Worker): Promise<void> {
    const child = fork(WORKER, { serialization: 'advanced', stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
    const generation = worker.counters.length
    worker.process = child
    worker.state = 'opening'
    createInterface({ input: child.stderr as NodeJS.ReadableStream }).on('line', (line) => {
      this.#listeners.onLog(worker.number, line)
    })
    child.once('exit', (code, signal) => {
      const isMeant = worker.state === 'killed' || worker.state === 'ended'
      const isClean = worker.state === 'stopping' && code === 0
      if (!isMeant && !isClean) this.#crashed(worker, `ended with ${signal ?? `exit code ${code}`}`)
      if (worker.state !== 'killed') worker.state = 'ended'
    })
    tell(child, { type: 'open', settings: { ...this.#settings, removed: worker.removed } })
    return new Promise((resolve) => {
      const deadline = setTimeout(() => {
        this.#crashed(worker, `has not opened its cache within ${OPEN_TIMEOUT / 1000} s`)
      }, OPEN_TIMEOUT)
      child.once('exit', () => clearTimeout(deadline))
      child.on('message', (message: FromWorker) => {
        if (message.type === 'log') {
          this.#listeners.onLog(worker.number, message.text)
        } else if (message.type === 'report') {
          worker.counters[generation] = message.report.counters
          for (const [icao, version] of message.report.removed) worker.removed.set(icao, version)
          this.#listeners.onReport(message.report, worker.number, generation)
        } else if (message.type === 'opened') {
          clearTimeout(deadline)
          resolve()
        } else {
          worker.state = 'ended'
          const patience = setTimeout(() => child.kill('SIGKILL'), END_TIMEOUT)
          child.once('exit', () => clearTimeout(patience))
        }
      })
    })
  }

  #run(worker: Worker): void {
    if (worker.state !== 'opening') return
    worker.state = 'running'
    tell(worker.process as ChildProcess, { type: 'run' })
  }

  #crashed(worker: Worker, what: string): void {
    if (this.#hasCrashed || worker.state === 'ended') return
    this.#hasCrashed = true
    this.#listeners.onCrash(`Worker ${worker.number} (pid ${worker.pid}) ${what}.`)
  }
}

function isAlive(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null
}

/** To a worker that has just died nothing can be said; its end is noticed where it is looked for. */
function tell(child: ChildProcess, message: ToWorker): void {
  child.send(message, () => {})
}
