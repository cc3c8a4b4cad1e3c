/**
 * One follower of the stream: reads on from its position for as long as it is wanted, on a connection of its own.
 *
 * Invariants: every entry after its position is given to `onMessages`, once and in order, or `onGap` is called. An
 * answer of the server alone does not show that nothing is missing before it: the stream may have been trimmed,
 * deleted, flushed and begun again meanwhile. So each read is vouched for afterwards: if the entry that it began at
 * is still there, with its mark, then nothing after it had been trimmed either, and it is the same stream. (A gap
 * may be told without need where the log is nearly shorter than the follower's delay, never the reverse.)
 * A server that restarted from a file, or a replica that took over, may have that entry and lack newer ones that
 * this follower was never given: so on a new connection another run id or replication id is a gap as well.
 * After a gap it goes on from the stream's end of a moment before the gap was told.
 *
 * States: `opening` (a connection is being made and the position found) → `reading` → `waiting` (the connection was
 * lost; a pause with jitter) → `opening`; `stopped` is final, and no callback is called then. Each connection has an
 * object of its own (`line`): whatever a former one still brings is ignored. A connection that is silent for longer
 * than a read blocks plus `replyTimeout` is a lost one.
 *
 * Timers: one at a time (the pause before the next attempt, or between reads), and that of `PendingReplies`; all
 * unref'd, as is the connection's socket, so following keeps no process alive; beginning does, until it has begun.
 * May import errors, resilience and this folder.
 */

import { backoff } from '../../resilience/backoff.ts'
import { asItIs, PendingReplies } from './pending-replies.ts'
import type { RedisLine } from './redis-commands.ts'
import { toStorageError } from './redis-error.ts'
import { endOf, type FeedPosition, hasEntry, identify, readAfter, type Send } from './stream-reader.ts'

/** A connection that died without a word is seen after this and `replyTimeout`; an idle follower costs two commands in this time. */
export const BLOCK = 1_000
const FIRST_PAUSE = 50
const LONGEST_PAUSE = 500
/**
 * Reads follow each other no faster, so that many writers cannot have a fleet of followers keep the server busy; and where
 * the server takes its time, which it does when many followers ask at once, slower: a fleet of a thousand would need
 * more than one core of it otherwise (`bench/scale`). The first message after a quiet moment is never delayed.
 */
const READ_INTERVAL = 10
const SLOWEST_READ_INTERVAL = 200
const ROUND_TRIPS_PER_READ = 32

export interface FollowerSettings {
  readonly open: (onLost: (error: Error) => void) => Promise<RedisLine>
  /** The command that appends an entry without messages, for a stream that has none. */
  readonly addEntry: (key: string) => readonly string[]
  readonly replyTimeout: number
  readonly onMessages: (messages: readonly string[]) => void
  readonly onGap: (reason: string, mayHaveGoneBack: boolean) => void
  readonly onHeard: (age: number) => void
}

export class FeedFollower {
  readonly #settings: FollowerSettings
  readonly #pending: PendingReplies
  #line: RedisLine | undefined
  /** Which server, in which life of it. */
  #identity = ''
  /** After the last entry that was given. */
  #position: FeedPosition | undefined
  /** Where the last read began. */
  #anchor: FeedPosition | undefined
  #failures = 0
  #attempt = 0
  #timer: NodeJS.Timeout | undefined
  #isStopped = false

  constructor(settings: FollowerSettings) {
    this.#settings = settings
    this.#pending = new PendingReplies(BLOCK + settings.replyTimeout, {
      setBusy: () => {},
      stalled: (error) => this.#lose(this.#attempt, error),
    })
  }

  /** Resolves when what is appended from now on will be given; rejects where that cannot begin. */
  async begin(): Promise<void> {
    const hold = setInterval(() => {}, BLOCK)
    try {
      await this.#open()
    } finally {
      clearInterval(hold)
    }
  }

  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
    this.#drop()
  }

  async #open(): Promise<void> {
    const attempt = ++this.#attempt
    try {
      const line = await this.#connect(attempt)
      const send = (args: readonly string[]) => this.#pending.track(0, line.send(args), asItIs)
      const identity = await identify(send)
      if (this.#position === undefined) await this.#moveToEnd(line.key, send)
      else if (identity !== this.#identity) {
        await this.#skip(line.key, send, 'the server has restarted, or another one has taken its place', true)
      }
      this.#identity = identity
      void this.#read(attempt, line.key, send)
    } catch (error) {
      this.#lose(attempt, error)
      throw error
    }
  }

  async #connect(attempt: number): Promise<RedisLine> {
    const line = await this.#pending.track(0, this.#opened(attempt), asItIs)
    this.#line = line
    return line
  }

  async #opened(attempt: number): Promise<RedisLine> {
    const opened = await this.#settings.open((error) => this.#lose(attempt, error))
    if (this.#isCurrent(attempt)) return opened
    opened.close()
    throw new Error('not wanted any more')
  }

  async #read(attempt: number, key: string, send: Send): Promise<void> {
    try {
      /** When the last read brought something; 0 = it brought nothing, or not all. */
      let readAt = 0
      /** When the server was last asked for all that it has; `undefined` = it has more. */
      let askedAt: number | undefined
      while (this.#isCurrent(attempt)) {
        const vouchedAt = performance.now()
        if (!(await hasEntry(send, key, this.#anchor!))) {
          await this.#skip(key, send, 'the log was trimmed past this follower, or has vanished', false)
        }
        // Only now is it known that nothing was missing before what it answered.
        else if (askedAt !== undefined) this.#call(this.#settings.onHeard, performance.now() - askedAt)
        const now = performance.now()
        const pause = readAt + readInterval(now - vouchedAt) - now
        if (pause > 0) await this.#pause(pause)
        if (!this.#isCurrent(attempt)) return
        this.#anchor = this.#position
        const sentAt = performance.now()
        const { messages, position, isFull } = await readAfter(send, key, this.#position!, BLOCK)
        if (!this.#isCurrent(attempt)) return
        this.#failures = 0
        askedAt = isFull ? undefined : sentAt
        readAt = position === undefined || isFull ? 0 : performance.now()
        if (position === undefined) continue
        this.#position = position
        if (messages.length > 0) this.#call(this.#settings.onMessages, messages)
      }
    } catch (error) {
      this.#lose(attempt, error)
    }
  }

  async #skip(key: string, send: Send, reason: string, mayHaveGoneBack: boolean): Promise<void> {
    await this.#moveToEnd(key, send)
    this.#call((text) => this.#settings.onGap(text, mayHaveGoneBack), reason)
  }

  async #moveToEnd(key: string, send: Send): Promise<void> {
    this.#position = await endOf(send, key, () => this.#settings.addEntry(key))
    this.#anchor = this.#position
  }

  #isCurrent(attempt: number): boolean {
    return attempt === this.#attempt && !this.#isStopped
  }

  #lose(attempt: number, error: unknown): void {
    if (!this.#isCurrent(attempt)) return
    this.#attempt++
    this.#drop(error)
    // Whoever awaits the beginning is told instead.
    if (this.#position === undefined) return
    const pause = backoff(this.#failures++, FIRST_PAUSE, LONGEST_PAUSE, Math.random)
    this.#timer = setTimeout(() => void this.#open().catch(() => {}), pause).unref()
  }

  #drop(error: unknown = new Error('stopped')): void {
    this.#line?.close()
    this.#line = undefined
    this.#pending.rejectAll(toStorageError(error))
  }

  #pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      this.#timer = setTimeout(resolve, milliseconds).unref()
    })
  }

  /** What a callback throws is its owner's to hear of, and ends no reading. */
  #call<T>(callback: (value: T) => void, value: T): void {
    if (this.#isStopped) return
    try {
      callback(value)
    } catch (error) {
      queueMicrotask(() => {
        throw error
      })
    }
  }
}

/** @param roundTrip milliseconds that the server took for a trifle */
function readInterval(roundTrip: number): number {
  return Math.min(SLOWEST_READ_INTERVAL, Math.max(READ_INTERVAL, ROUND_TRIPS_PER_READ * roundTrip))
}
