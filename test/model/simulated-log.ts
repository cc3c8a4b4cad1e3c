/**
 * The change feed of the simulated store: one log, and a follower for each life of a worker.
 *
 * Positions only grow, over losses of the log too. A follower gets every message after its position, once and in order,
 * or is told of a gap: where the log was trimmed past it, or was lost. How soon it gets them is its worker's `hearing`.
 */

export type Hearing = 'prompt' | 'late' | 'deaf'

export interface Listener {
  readonly isAlive: boolean
  readonly hearing: Hearing
  /** Runs it at once, or when its process is no longer suspended. */
  whenAwake(run: () => void): void
  onHeard(): void
}

interface LogHost {
  readonly now: () => number
  readonly random: () => number
  readonly after: (delay: number, run: () => void) => void
  readonly log: (line: () => string) => void
}

const LATEST = 400

export class SimulatedLog {
  readonly #host: LogHost
  readonly #followers = new Set<Follower>()
  #texts: string[] = []
  /** The position before the first text. */
  #start = 0
  /** Where it ended when it was last lost. */
  #lostAt = -1

  constructor(host: LogHost) {
    this.#host = host
  }

  get end(): number {
    return this.#start + this.#texts.length
  }

  append(text: string, length: number): void {
    this.#texts.push(text)
    this.trim(length)
    this.#stir()
  }

  trim(keep: number): void {
    const surplus = Math.max(0, this.#texts.length - keep)
    this.#texts.splice(0, surplus)
    this.#start += surplus
  }

  /** Whoever had heard everything has missed nothing, and cannot know it. */
  lose(): void {
    this.#lostAt = this.end
    this.#start = this.end + 1
    this.#texts = []
    this.#stir()
  }

  follow(
    listener: Listener,
    onMessages: (texts: string[]) => void,
    onGap: (reason: string, mayHaveGoneBack: boolean) => void,
  ): Follower {
    const doubtedAt = this.#host.now()
    const follower = {
      listener,
      onMessages,
      onGap,
      position: this.end,
      gapAt: -Infinity,
      doubtedAt,
      isDue: false,
    }
    this.#followers.add(follower)
    return follower
  }

  unfollow(follower: Follower): void {
    this.#followers.delete(follower)
  }

  /** Deafness has ended somewhere, or there is something new. */
  stir(): void {
    this.#stir()
  }

  #stir(): void {
    const { after, random } = this.#host
    for (const follower of this.#followers) {
      const { listener } = follower
      if (follower.isDue || listener.hearing === 'deaf' || follower.position === this.end) continue
      follower.isDue = true
      const delay = Math.floor(random() * (listener.hearing === 'late' ? LATEST : 3))
      after(delay, () => listener.whenAwake(() => this.#tell(follower)))
    }
  }

  #tell(follower: Follower): void {
    follower.isDue = false
    const { listener, position } = follower
    if (!listener.isAlive || !this.#followers.has(follower) || listener.hearing === 'deaf') return
    const texts = this.#texts.slice(Math.max(0, position - this.#start))
    follower.position = this.end
    if (position < this.#start) {
      this.#host.log(() => '  a follower is told of a gap')
      follower.gapAt = this.#host.now()
      follower.doubtedAt = follower.gapAt
      follower.onGap('the log was trimmed, or is gone', position <= this.#lostAt)
    } else if (texts.length > 0) {
      follower.onMessages(texts)
    }
    listener.onHeard()
  }
}

export interface Follower {
  readonly listener: Listener
  readonly onMessages: (texts: string[]) => void
  readonly onGap: (reason: string, mayHaveGoneBack: boolean) => void
  /** It has been given everything up to here. */
  position: number
  /** When it was last told of a gap. */
  gapAt: number
  /** When it was last told of a gap, or began: what it held before may have been invalidated unheard. */
  doubtedAt: number
  isDue: boolean
}
