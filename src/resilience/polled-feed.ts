/**
 * A change feed over an ordered log that can only be looked at, such as a table with a growing id.
 *
 * A look costs little and waits for no lock. Looks follow each other at `FASTEST` while there is traffic, and at
 * growing pauses up to `SLOWEST` while there is none; an append of this process is followed by a look at once. Where
 * there is a file that is written whenever the log grows, it is watched, and followed by a look as well: then the
 * looks at rest are only for the case that watching fails, and come at `SLOWEST_WATCHED` until it has been seen to fail.
 * One look serves all followers.
 *
 * States: idle (nobody follows) <-> following -> closed; while the log cannot be read, looks go on at `FAILED`, and nothing is
 * missed that the log still has then. Invariants: a follower hears each message after the end of the log as it was
 * when it began, in order and once; where some were trimmed, or the log is another, it is told of a gap in place of
 * all that the log held by then. Nothing is heard after `stop`. Owns its timer and its watch, which keep no process alive.
 * May import ports and siblings.
 */

import type { ChangeFeed } from '../ports/storage.ts'
import { FileWatch } from './file-watch.ts'
import { systemClock } from './system-clock.ts'

/** Milliseconds. */
const FASTEST = 10
const SLOWEST = 50
const SLOWEST_WATCHED = 250
const GROWTH = 1.05
const FAILED = 1_000
/** Between two looks for which the file was the reason: a burst of appends is heard in a few. */
const WRITTEN = 2
/** News that come so long after the last word of them were found by chance. */
const UNTOLD = 25
/** Messages of one look; where there are more, the next one follows at once. */
const PAGE = 200
/** Looks come far more often; this is what a busy event loop may make of it. */
const HEARTBEAT = 1_000

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
  /** A file that is written whenever the log grows, shortly before or after it is seen to have grown. */
  readonly file: string | undefined
}

interface Follower {
  /** What comes up to this id is from before it began. */
  from: number
  readonly onMessages: (messages: readonly string[]) => void
  readonly onGap: (reason: string, mayHaveGoneBack: boolean) => void
  readonly onHeard: (age: number) => void
}

interface News {
  readonly end: LogEnd
  readonly gap: string | undefined
  /** It is another log, or an older one. */
  readonly isOther: boolean
  readonly messages: readonly LoggedMessage[]
}

export class PolledFeed implements ChangeFeed {
  readonly heartbeat = HEARTBEAT
  readonly #settings: PolledFeedSettings
  readonly #watch: FileWatch | undefined
  readonly #followers = new Set<Follower>()
  /** Up to where the followers have heard; `undefined` = idle. */
  #position: LogEnd | undefined
  #pause = FASTEST
  #timer: unknown
  #lookedAt = 0
  /** When there was a reason to expect news. */
  #toldAt = 0
  #isWritten = false
  #isWatchDoubted = false
  #isLooking = false
  #isAskedAgain = false
  #isClosed = false

  constructor(settings: PolledFeedSettings) {
    this.#settings = settings
    const { file } = settings
    if (file !== undefined) this.#watch = new FileWatch(file, () => this.#written())
  }

  async append(messages: readonly string[]): Promise<void> {
    await this.#settings.append(messages)
    this.#toldAt = performance.now()
    this.#lookNow()
  }

  async follow(
    onMessages: Follower['onMessages'],
    onGap: Follower['onGap'],
    onHeard: Follower['onHeard'] = () => {},
  ): Promise<() => void> {
    const end = await this.#settings.read((log) => log.logEnd())
    if (this.#isClosed) throw this.#settings.closedError()
    const follower: Follower = { from: end.id, onMessages, onGap, onHeard }
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

  close(): void {
    this.#isClosed = true
    this.#followers.clear()
    this.#rest()
  }

  #rest(): void {
    this.#watch?.end()
    this.#position = undefined
    systemClock.clearTimeout(this.#timer)
  }

  #written(): void {
    if (this.#position === undefined) return
    this.#isWritten = true
    this.#toldAt = performance.now()
    const since = this.#toldAt - this.#lookedAt
    if (this.#isLooking || since >= WRITTEN) this.#lookNow()
    else this.#lookIn(WRITTEN - since)
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
    const askedAt = performance.now()
    let news: News
    try {
      news = await this.#settings.read((log) => newsSince(position, log))
    } catch {
      return FAILED
    }
    // Everyone has left meanwhile; who has come since then has a position of its own.
    if (this.#position !== position) return FASTEST
    this.#position = news.end
    this.#watch?.begin()
    if (news.gap === undefined && news.messages.length === 0) {
      this.#confirm(askedAt)
      return this.#nextPause()
    }
    this.#isWatchDoubted = this.#lookedAt - this.#toldAt > UNTOLD
    if (news.gap !== undefined) this.#tellGap(news.gap, news.isOther)
    else this.#tell(news.messages)
    if (news.messages.length < PAGE) this.#confirm(askedAt)
    this.#pause = FASTEST
    return news.messages.length === PAGE ? 0 : FASTEST
  }

  #nextPause(): number {
    if (this.#isWritten) {
      this.#isWritten = false
      return WRITTEN
    }
    const slowest = this.#watch?.isOn && !this.#isWatchDoubted ? SLOWEST_WATCHED : SLOWEST
    this.#pause = Math.min(this.#pause * GROWTH, slowest)
    return this.#pause
  }

  #tell(messages: News['messages']): void {
    const texts = messages.map(({ text }) => text)
    for (const follower of this.#followers) {
      const first = messages.findIndex(({ id }) => id > follower.from)
      if (first >= 0) this.#call(() => follower.onMessages(first === 0 ? texts : texts.slice(first)))
    }
  }

  #tellGap(reason: string, isOther: boolean): void {
    for (const follower of this.#followers) {
      // Another log counts from its own beginning.
      follower.from = 0
      this.#call(() => follower.onGap(reason, isOther))
    }
  }

  #confirm(askedAt: number): void {
    for (const follower of this.#followers) this.#call(() => follower.onHeard(performance.now() - askedAt))
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
  const gap = (reason: string, isOther: boolean): News => ({ end, gap: reason, isOther, messages: [] })
  if (end.incarnation !== position.incarnation) return gap('the file was replaced', true)
  if (end.id < position.id) return gap('the log was set back', true)
  if (end.id === position.id) return { end, gap: undefined, isOther: false, messages: [] }
  const messages = log.messagesAfter(position.id, PAGE)
  const missed = (messages[0]?.id ?? end.id + 1) - position.id - 1
  if (missed > 0) return gap(`${missed} messages were trimmed unread`, false)
  return { end: { ...end, id: messages.at(-1)!.id }, gap: undefined, isOther: false, messages }
}
