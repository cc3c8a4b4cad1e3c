/**
 * What is shown while the demo runs: on a terminal one line that is redrawn, with notes above it; elsewhere a plain line
 * every two seconds.
 *
 * Owns the timer that redraws; `end` stops it and leaves the terminal clean.
 */

import { count, seconds, share } from './figures.ts'
import { countOf } from './latencies.ts'
import type { Origin } from './origin.ts'
import { answersOf, type Tally, timesOf } from './tally.ts'

export interface Status {
  readonly tally: Tally
  readonly origin: Origin
  readonly isStorageAway: boolean
}

export interface ProgressSettings {
  readonly output: NodeJS.WriteStream
  readonly isPlain: boolean
  /** Milliseconds that the run takes. */
  readonly length: number
  readonly status: () => Status
}

const LIVE_INTERVAL = 200
const PLAIN_INTERVAL = 2_000
const BAR = 20

export class Progress {
  readonly #settings: ProgressSettings
  readonly #isLive: boolean
  #startedAt: number | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(settings: ProgressSettings) {
    this.#settings = settings
    this.#isLive = settings.output.isTTY === true && !settings.isPlain
  }

  begin(): void {
    this.#startedAt = performance.now()
    this.#timer = setInterval(() => this.#show(), this.#isLive ? LIVE_INTERVAL : PLAIN_INTERVAL)
  }

  /** A line that stays. */
  note(text: string): void {
    const at = this.#startedAt === undefined ? '' : `${this.#elapsed()}  `
    this.#write(`${this.#isLive ? CLEAR : ''}${at}${text}\n`)
    if (this.#isLive && this.#timer !== undefined) this.#show()
  }

  end(): void {
    if (this.#timer === undefined) return
    clearInterval(this.#timer)
    this.#timer = undefined
    if (this.#isLive) this.#write(CLEAR)
  }

  #show(): void {
    const { tally, origin, isStorageAway } = this.#settings.status()
    const requests = answersOf(tally) + timesOf(tally.errors)
    const part = (source: 'L1 fresh' | 'L1 stale' | 'L2' | 'origin'): string =>
      share(countOf(tally.answers[source]), requests)
    const line = [
      `${this.#elapsed()}  ${count(requests)} requests`,
      `L1 ${part('L1 fresh')} fresh, ${part('L1 stale')} stale`,
      isStorageAway ? 'L2 away' : `L2 ${part('L2')}`,
      `origin ${part('origin')} (${count(origin.reads.shared)} calls)`,
      `${count(countOf(tally.updates))} updates`,
    ].join(' · ')
    if (!this.#isLive) this.#write(`${line}\n`)
    else
      this.#write(`${CLEAR}${`${this.#bar()} ${line}`.slice(0, (this.#settings.output.columns || 80) - 1)}`)
  }

  #elapsed(): string {
    return seconds(performance.now() - (this.#startedAt ?? 0)).padStart(6)
  }

  #bar(): string {
    const done = Math.min(1, (performance.now() - (this.#startedAt ?? 0)) / this.#settings.length)
    const filled = Math.round(done * BAR)
    return '█'.repeat(filled) + '░'.repeat(BAR - filled)
  }

  #write(text: string): void {
    this.#settings.output.write(text)
  }
}

const CLEAR = '\r\x1b[2K'
