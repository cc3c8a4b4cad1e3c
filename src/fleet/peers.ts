/**
 * This worker's place among its peers: tells them what it changes, and hears what they change.
 *
 * States: `joining` (asking the feed to be followed) → `following` → `closed`; an attempt that fails is repeated after
 * growing pauses. What came into L1 before following began was not watched over: `onGap` is called then, as it is
 * whenever the feed says that messages may have been missed. Reads wait for the first attempt, so that a good start
 * has no gap. Where a store has no feed there are no peers.
 *
 * Messages go out through the write-behind queue, behind the writes they speak of: an outage delays both alike.
 * Owns the alarm of the next attempt and the function that stops following.
 */

import type { ChangeFeed } from '../ports/storage.ts'
import { backoff } from '../resilience/backoff.ts'
import type { SafeLogger } from '../resilience/safe-logger.ts'
import type { Alarm, TimerQueue } from '../resilience/timer-queue.ts'
import { decodeMessages, type FleetMessage, type Sender } from './fleet-message.ts'

export interface PeersSettings {
  readonly feed: ChangeFeed
  readonly sender: Sender
  readonly timers: TimerQueue
  readonly logger: SafeLogger
  readonly random: () => number
  readonly onMessage: (message: FleetMessage) => void
  /** All that peers said until `age` milliseconds ago has been heard. */
  readonly onHeard: (age: number) => void
  /** `mayHaveGoneBack`: L2 may lack what it has taken last. */
  readonly onGap: (mayHaveGoneBack: boolean) => void
  /** The feed is followed for the first time, and whatever was read from L2 before waited for that. */
  readonly onFollowing: () => void
  readonly isStoreAway: () => boolean
}

/** Attempts that fail before anyone is told. */
const PATIENCE = 3
/** Milliseconds. */
const LONGEST_JOIN = 5_000

export interface PeersStats {
  isFollowing: boolean
  /** Messages of peers that were heard. */
  heard: number
  /** How often messages may have been missed. */
  gaps: number
}

export class Peers {
  readonly #settings: PeersSettings
  /** Settles with the first attempt to follow, whatever comes of it. */
  readonly ready: Promise<void>
  #stop: (() => void) | null = null
  #alarm: Alarm | null = null
  #attempts = 0
  #heard = 0
  #gaps = 0
  /** Something may have gone into L1 while nobody was followed. */
  #hasMissed = false
  #hasWarned = false
  #isClosed = false

  constructor(settings: PeersSettings) {
    this.#settings = settings
    this.ready = this.#join()
  }

  get isFollowing(): boolean {
    return this.#stop !== null
  }

  /** The first attempt is under way, and nothing has come into L1 that it would leave unwatched. */
  get isJoining(): boolean {
    return this.#stop === null && !this.#hasMissed
  }

  stats(): PeersStats {
    return { isFollowing: this.isFollowing, heard: this.#heard, gaps: this.#gaps }
  }

  close(): void {
    this.#isClosed = true
    if (this.#alarm !== null) this.#settings.timers.cancel(this.#alarm)
    this.#leave(this.#stop)
    this.#stop = null
  }

  async #join(): Promise<void> {
    const { timers, logger, random } = this.#settings
    try {
      const stop = await this.#follow()
      if (this.#isClosed) {
        stop()
        return
      }
      this.#stop = stop
      if (this.#hasWarned) logger.info('Following the change feed.')
      this.#hasWarned = false
      this.#attempts = 0
      if (this.#hasMissed) this.#settings.onGap(false)
      else this.#settings.onFollowing()
    } catch (error) {
      if (this.#isClosed) return
      this.#hasMissed = true
      // A store that is away as a whole has been reported; a feed that fails alone, and not only for a moment, is news.
      if (this.#attempts >= PATIENCE && !this.#hasWarned && !this.#settings.isStoreAway()) {
        this.#hasWarned = true
        logger.warn('The change feed cannot be followed; L1 hears of no peer.', error)
      }
      this.#alarm = timers.after(backoff(this.#attempts++, 250, 5_000, random), () => void this.#join())
    }
  }

  #confirm(age: number): void {
    if (!this.#isClosed) this.#settings.onHeard(age)
  }

  /** One that does not begin in time has failed: a later beginning is undone. */
  #follow(): Promise<() => void> {
    const { feed, timers } = this.#settings
    let isLate = false
    return new Promise((resolve, reject) => {
      const deadline = timers.after(LONGEST_JOIN, () => {
        isLate = true
        reject(new Error(`It did not begin within ${LONGEST_JOIN} ms.`))
      })
      const unlessLate =
        <T extends unknown[]>(tell: (...what: T) => void) =>
        (...what: T): void => {
          if (!isLate) tell(...what)
        }
      const begin = async (): Promise<() => void> =>
        feed.follow(
          unlessLate((messages: readonly string[]) => this.#hear(messages)),
          unlessLate((reason: string, mayHaveGoneBack?: boolean) =>
            this.#miss(reason, mayHaveGoneBack === true),
          ),
          unlessLate((age: number) => this.#confirm(age)),
        )
      begin().then(
        (stop) => {
          timers.cancel(deadline)
          if (!isLate) resolve(stop)
          else this.#leave(stop)
        },
        (error) => {
          timers.cancel(deadline)
          reject(error)
        },
      )
    })
  }

  /** A read did not wait for the first attempt any longer. */
  impatient(): void {
    if (this.#stop === null) this.#hasMissed = true
  }

  #leave(stop: (() => void) | null): void {
    try {
      stop?.()
    } catch (error) {
      this.#settings.logger.error('Leaving the change feed failed.', error)
    }
  }

  #hear(messages: readonly string[]): void {
    if (this.#isClosed || !Array.isArray(messages)) return
    for (const text of messages)
      for (const message of decodeMessages(this.#settings.sender, text)) this.#apply(message)
  }

  #apply(message: FleetMessage): void {
    this.#heard++
    try {
      this.#settings.onMessage(message)
    } catch (error) {
      this.#settings.logger.error(
        'A message of another worker could not be applied; L1 is read again.',
        error,
      )
      this.#settings.onGap(false)
    }
  }

  #miss(reason: string, mayHaveGoneBack: boolean): void {
    if (this.#isClosed) return
    this.#gaps++
    this.#settings.logger.warn(
      `Messages of other workers may have been missed (${reason}); L1 is read again.`,
    )
    this.#settings.onGap(mayHaveGoneBack)
  }
}
