/**
 * A change feed over an ordered log that can only be looked at, such as a table with a growing id.
 *
 * A look costs some microseconds and waits for no lock. Looks follow each other at `FASTEST` while there is traffic,
 * and at growing pauses up to `SLOWEST` while there is none; an append of this process is followed by a look at once,
 * and so is a `ring`. One look serves all followers.
 *
 * States: idle (nobody follows) <-> following -> closed; while the log cannot be read, looks go on at `FAILED`, and nothing is
 * missed that the log still has then. Invariants: a follower hears each message after the end of the log as it was
 * when it began, in order and once; where some were trimmed, or the log is another, it is told of a gap in place of
 * all that the log held by then. Nothing is heard after `stop`. Owns its timer, which keeps no process alive.
 * May import ports and siblings.
 */

import type { ChangeFeed } from '../ports/storage.ts'
import { systemClock } from './system-clock.ts'

/** Milliseconds. */
const FASTEST = 10
const SLOWEST = 50
const GROWTH = 1.05
const FAILED = 1_000
/** Between two looks that were rung for: a burst of appends is heard in a few. */
const RINGING = 2
/** Messages of one look; where there are more, the next one follows at once. */
const PAGE = 200

/** The newest message of a log; ids grow by one within an incarnation, and are never used again. */
export interface LogEnd {
  readonly incarnation: string
  readonly id: number
}

export interface LoggedMessage {
  readonly id: number
  readonly text: string
}

/** A log at one moment. */
export interface LogReader {
  logEnd(): LogEnd
  /** What follows `id`, in order, `limit` at most. */
  messagesAfter(id: number, limit: number): readonly LoggedMessage[]
}

export interface PolledFeedSettings {
  /** `work` is done at once and sees one moment. Rejects while the log cannot be read. */
  readonly read: <T>(work: (log: LogReader) => T) => Promise<T>
  readonly append: (messages: readonly string[]) => Promise<unknown>
  /** Told of what a follower has thrown. */
  readonly warn: (message: string) => void
  readonly closedError: () => Error
  /** Nobody follows any more; also said where nobody did. */
  readonly onIdle?: () => void
}

interface Follower {
  /** What comes up to this id is from before it began. */
  from: number
  readonly onMessages: (messages: readonly string[]) => void
  readonly onGap: (reason: string) => void
}

interface News {
  readonly end: LogEnd
  readonly gap: string | undefined
  readonly messages: readonly LoggedMessage[]
}

export class PolledFeed implements ChangeFeed {
  readonly #settings: PolledFeedSettings
  readonly #followers = new Set<Follower>()
  /** Up to where the followers have heard; `undefined` = idle. */
  #position: LogEnd | undefined
  #pause = FASTEST
  #timer: unknown
  #lookedAt = 0
  #isRung = false
  #isLooking = false
  #isAskedAgain = false
  #isClosed = false

  constructor(settings: PolledFeedSettings) {
    this.#settings = settings
  }

  async append(messages: readonly string[]): Promise<void> {
    await this.#settings.append(messages)
    this.#lookNow()
  }

  async follow(onMessages: Follower['onMessages'], onGap: Follower['onGap']): Promise<() => void> {
    const end = await this.#settings.read((log) => log.logEnd())
    if (this.#isClosed) throw this.#settings.closedError()
    const follower: Follower = { from: end.id, onMessages, onGap }
    this.#followers.add(follower)
    if (this.#position === undefined) {
      this.#position = end
      this.#lookIn(FASTEST)
    }
    return () => {
      this.#followers.delete(follower)
      if (this.#followers.size === 0) this.#rest()
    }
  }

  /** The log may have grown, or be about to. A hint: without it the news come with the next look. */
  ring(): void {
    this.#isRung = true
    const since = performance.now() - this.#lookedAt
    if (this.#position === undefined) return
    if (this.#isLooking || since >= RINGING) this.#lookNow()
    else this.#lookIn(RINGING - since)
  }

  close(): void {
    this.#isClosed = true
    this.#followers.clear()
    this.#rest()
  }

  #rest(): void {
    this.#settings.onIdle?.()
    this.#position = undefined
    systemClock.clearTimeout(this.#timer)
  }

  #lookIn(pause: number): void {
    systemClock.clearTimeout(this.#timer)
    this.#timer = systemClock.setTimeout(() => this.#lookNow(), pause)
  }

  #lookNow(): void {
    if (this.#position === undefined) return
    if (this.#isLooking) {
      this.#isAskedAgain = true
      return
    }
    this.#isLooking = true
    this.#isAskedAgain = false
    this.#lookedAt = performance.now()
    void this.#look().then((pause) => {
      this.#isLooking = false
      if (this.#position !== undefined) this.#lookIn(this.#isAskedAgain ? 0 : pause)
    })
  }

  /** Resolves to the milliseconds until the next look. */
  async #look(): Promise<number> {
    const position = this.#position!
    let news: News
    try {
      news = await this.#settings.read((log) => newsSince(position, log))
    } catch {
      return FAILED
    }
    // Everyone has left meanwhile; who has come since then has a position of its own.
    if (this.#position !== position) return FASTEST
    this.#position = news.end
    if (news.gap !== undefined) this.#tellGap(news.gap)
    else if (news.messages.length > 0) this.#tell(news.messages)
    else if (this.#isRung) {
      this.#isRung = false
      return RINGING
    } else {
      this.#pause = Math.min(this.#pause * GROWTH, SLOWEST)
      return this.#pause
    }
    this.#pause = FASTEST
    return news.messages.length === PAGE ? 0 : FASTEST
  }

  #tell(messages: News['messages']): void {
    const texts = messages.map(({ text }) => text)
    for (const follower of this.#followers) {
      const first = messages.findIndex(({ id }) => id > follower.from)
      if (first >= 0) this.#call(() => follower.onMessages(first === 0 ? texts : texts.slice(first)))
    }
  }

  #tellGap(reason: string): void {
    for (const follower of this.#followers) {
      // Another log counts from its own beginning.
      follower.from = 0
      this.#call(() => follower.onGap(reason))
    }
  }

  #call(tell: () => void): void {
    try {
      tell()
    } catch (error) {
      this.#settings.warn(`a follower of the change feed threw: ${String(error)}`)
    }
  }
}

/** What is told as a gap is not read: what a follower does then is to look at everything anew. */
function newsSince(position: LogEnd, log: LogReader): News {
  const end = log.logEnd()
  const gap = (reason: string): News => ({ end, gap: reason, messages: [] })
  if (end.incarnation !== position.incarnation) return gap('the file was replaced')
  if (end.id < position.id) return gap('the log was set back')
  if (end.id === position.id) return { end, gap: undefined, messages: [] }
  const messages = log.messagesAfter(position.id, PAGE)
  const missed = (messages[0]?.id ?? end.id + 1) - position.id - 1
  if (missed > 0) return gap(`${missed} messages were trimmed unread`)
  return { end: { ...end, id: messages.at(-1)!.id }, gap: undefined, messages }
}
