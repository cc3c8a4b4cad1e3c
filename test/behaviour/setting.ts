/** What every behaviour test needs: a client in virtual time, an origin that answers by hand, a look at promises. */

import { onTestFinished } from 'vitest'
import { QueryClient, type QueryClientConfig, type QueryFnContext } from '../../src/index.ts'
import { VirtualClock } from '../../src/testing/index.ts'

export interface LogLine {
  readonly level: 'info' | 'warn' | 'error'
  readonly message: string
  readonly details: readonly unknown[]
}

export class RecordingLogger {
  readonly lines: LogLine[] = []

  info(message: string, ...details: unknown[]): void {
    this.lines.push({ level: 'info', message, details })
  }

  warn(message: string, ...details: unknown[]): void {
    this.lines.push({ level: 'warn', message, details })
  }

  error(message: string, ...details: unknown[]): void {
    this.lines.push({ level: 'error', message, details })
  }

  get messages(): string[] {
    return this.lines.map(({ message }) => message)
  }
}

/** A client without L2 unless `config` names one, whose time moves by `clock.advance`; closed when the test ends. */
export function createClient(config: QueryClientConfig = {}) {
  const clock = new VirtualClock()
  const log = new RecordingLogger()
  const client = new QueryClient({ clock, logger: log, ...config })
  onTestFinished(async () => {
    void client.close({ timeout: 0 })
    await clock.advance(2_000)
  })
  return { client, clock, log }
}

export interface OriginCall<T> {
  readonly context: QueryFnContext<T, QueryClient>
  readonly answer: (data: T) => void
  readonly fail: (error: unknown) => void
  /** Why its signal was aborted; `undefined` = it was not. */
  readonly abortReason: unknown
}

/** An origin that a test answers by hand. */
export class Origin<T = string> {
  readonly calls: OriginCall<T>[] = []
  /** Calls that are under way, and the most that ever were. */
  running = 0
  mostRunning = 0

  readonly queryFn = (context: QueryFnContext<T, QueryClient>): Promise<T> => {
    this.mostRunning = Math.max(this.mostRunning, ++this.running)
    const { signal } = context
    return new Promise<T>((resolve, reject) => {
      const end = () => this.running--
      this.calls.push({
        context,
        answer: (data) => {
          end()
          resolve(data)
        },
        fail: (error) => {
          end()
          reject(error)
        },
        get abortReason() {
          return signal.aborted ? signal.reason : undefined
        },
      })
    })
  }

  /** The newest call. */
  get last(): OriginCall<T> {
    const call = this.calls.at(-1)
    if (call === undefined) throw new Error('the origin was not called')
    return call
  }
}

/** A function that counts its calls and answers 1, 2, 3 … at once. */
export function counting(): (() => number) & { readonly calls: number } {
  let calls = 0
  const next = () => ++calls
  return Object.defineProperty(next, 'calls', { get: () => calls }) as typeof next & {
    readonly calls: number
  }
}

export type Outcome =
  | { readonly is: 'pending' }
  | { readonly is: 'fulfilled'; readonly value: unknown }
  | { readonly is: 'rejected'; readonly reason: unknown }

/** A promise as something that can be looked at; it counts as handled. */
export function watched(promise: Promise<unknown>): { readonly now: Outcome } {
  let now: Outcome = { is: 'pending' }
  promise.then(
    (value) => {
      now = { is: 'fulfilled', value }
    },
    (reason) => {
      now = { is: 'rejected', reason }
    },
  )
  return {
    get now() {
      return now
    },
  }
}

export function fulfilled(value: unknown): Outcome {
  return { is: 'fulfilled', value }
}
