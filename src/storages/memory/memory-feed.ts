/**
 * The change feed of a `MemoryStorage`: a log of the last `length` messages, with positions.
 *
 * Invariants: positions only grow; a follower hears every message after the moment it began to follow, in
 * order and once, or `onGap` in place of those that were trimmed before it was reached. Delivery is never
 * inside `append`: each follower gets a microtask of its own, so that one that throws hinders no other.
 * No timers; `stop` and `clear` are all there is to closing. Imports nothing.
 */

interface Follower {
  position: number
  isScheduled: boolean
  isStopped: boolean
  hasVanished: boolean
  readonly onMessages: (messages: readonly string[]) => void
  readonly onGap: (reason: string, mayHaveGoneBack: boolean) => void
}

export class MemoryFeed {
  readonly #length: number
  readonly #followers = new Set<Follower>()
  #log: string[] = []
  /** Position of the first message in the log. */
  #first = 0

  constructor(length: number) {
    this.#length = length
  }

  append(messages: readonly string[]): void {
    this.#log.push(...messages)
    const excess = this.#log.length - this.#length
    if (excess > 0) {
      this.#log.splice(0, excess)
      this.#first += excess
    }
    for (const follower of this.#followers) this.#schedule(follower)
  }

  follow(onMessages: Follower['onMessages'], onGap: Follower['onGap']): () => void {
    const position = this.#first + this.#log.length
    const follower = { position, isScheduled: false, isStopped: false, hasVanished: false, onMessages, onGap }
    this.#followers.add(follower)
    return () => {
      follower.isStopped = true
      this.#followers.delete(follower)
    }
  }

  /** The log is gone, as after a flush: followers cannot know what they missed. */
  clear(): void {
    this.#first += this.#log.length
    this.#log = []
    for (const follower of this.#followers) {
      follower.hasVanished = true
      this.#schedule(follower)
    }
  }

  #schedule(follower: Follower): void {
    if (follower.isScheduled) return
    follower.isScheduled = true
    queueMicrotask(() => {
      follower.isScheduled = false
      this.#deliver(follower)
    })
  }

  #deliver(follower: Follower): void {
    if (follower.isStopped) return
    const trimmed = this.#first - follower.position
    const messages = this.#log.slice(Math.max(0, -trimmed))
    const reason = follower.hasVanished ? 'the log has vanished' : `${trimmed} messages were trimmed unread`
    const isGap = follower.hasVanished || trimmed > 0
    // Before the callbacks: one that throws or stops must not see the same messages again.
    follower.position = this.#first + this.#log.length
    const mayHaveGoneBack = follower.hasVanished
    follower.hasVanished = false
    if (isGap) follower.onGap(reason, mayHaveGoneBack)
    if (messages.length > 0 && !follower.isStopped) follower.onMessages(messages)
  }
}
