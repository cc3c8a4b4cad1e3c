/**
 * The change feed of one storage: appends through its queue, follows by looking at the log now and then.
 *
 * A look costs some microseconds and waits for no lock. Looks follow each other at `FASTEST` while there is traffic,
 * and at growing pauses up to `SLOWEST` while there is none; an append of this storage is followed by a look at once.
 * One look serves all followers.
 *
 * States: idle (nobody follows) <-> following -> closed; while the file cannot be read, looks go on at `FAILED`, and nothing is
 * missed that the log still has then. Invariants: a follower hears each message after the end of the log as it was
 * when it began, in order and once; where some were trimmed, or the file is another, it is told of a gap in place of
 * all that the log held by then. Nothing is heard after `stop`. Owns its timer, which keeps no process alive.
 * May import ports, resilience and siblings.
 */

import type { ChangeFeed } from '../../ports/storage.ts'
import { systemClock } from '../../resilience/system-clock.ts'
import { toAppend, type Write } from './entry.ts'
import { closedError } from './read-side.ts'
import type { LogEnd, Reader } from './reader.ts'

/** Milliseconds. */
const FASTEST = 10
const SLOWEST = 50
const GROWTH = 1.05
const FAILED = 1_000
/** Messages of one look; where there are more, the next one follows at once. */
const PAGE = 200
/** Looks come far more often; this is what a busy event loop may make of it. */
const HEARTBEAT = 1_000

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
  /** It is another file, or an older one. */
  readonly isOther: boolean
  readonly messages: readonly { readonly id: number; readonly text: string }[]
}

export interface FeedSettings {
  readonly read: <T>(work: (reader: Reader) => T) => Promise<T>
  readonly write: (writes: readonly Write[]) => Promise<unknown>
  readonly warn: (message: string) => void
}

export class SQLiteFeed implements ChangeFeed {
  readonly heartbeat = HEARTBEAT
  readonly #settings: FeedSettings
  readonly #followers = new Set<Follower>()
  /** Up to where the followers have heard; `undefined` = idle. */
  #position: LogEnd | undefined
  #pause = FASTEST
  #timer: unknown
  #isLooking = false
  #isAskedAgain = false
  #isClosed = false

  constructor(settings: FeedSettings) {
    this.#settings = settings
  }

  async append(messages: readonly string[]): Promise<void> {
    await this.#settings.write(messages.map(toAppend))
    this.#lookNow()
  }

  async follow(
    onMessages: Follower['onMessages'],
    onGap: Follower['onGap'],
    onHeard: Follower['onHeard'] = () => {},
  ): Promise<() => void> {
    const end = await this.#settings.read((reader) => reader.logEnd())
    if (this.#isClosed) throw closedError()
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
      news = await this.#settings.read((reader) => readNews(reader, position))
    } catch {
      return FAILED
    }
    // Everyone has left meanwhile; who has come since then has a position of its own.
    if (this.#position !== position) return FASTEST
    this.#position = news.end
    if (news.gap !== undefined) this.#tellGap(news.gap, news.isOther)
    else if (news.messages.length > 0) this.#tell(news.messages)
    if (news.messages.length < PAGE) this.#confirm(askedAt)
    if (news.gap === undefined && news.messages.length === 0) {
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

  #tellGap(reason: string, isOther: boolean): void {
    for (const follower of this.#followers) {
      // Another file counts from its own beginning.
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
      this.#settings.warn(`SQLiteStorage: a follower of the change feed threw: ${String(error)}`)
    }
  }
}

/** What is told as a gap is not read: what a follower does then is to look at everything anew. */
function readNews(reader: Reader, position: LogEnd): News {
  const end = reader.logEnd()
  const gap = (reason: string, isOther: boolean): News => ({ end, gap: reason, isOther, messages: [] })
  if (end.incarnation !== position.incarnation) return gap('the file was replaced', true)
  if (end.id < position.id) return gap('the log was set back', true)
  if (end.id === position.id) return { end, gap: undefined, isOther: false, messages: [] }
  const messages = reader.messagesAfter(position.id, PAGE)
  const missed = (messages[0]?.id ?? end.id + 1) - position.id - 1
  if (missed > 0) return gap(`${missed} messages were trimmed unread`, false)
  return { end: { ...end, id: messages.at(-1)!.id }, gap: undefined, isOther: false, messages }
}
