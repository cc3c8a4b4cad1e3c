// @ts-check
/**
 * One redis-server in virtual time: one core that does one command after the other, and what `RedisStorage` sends it for
 * each operation. Counts commands and bytes by what they are for.
 *
 * The follower is `FeedFollower`'s: a read blocks for up to 1 s; after it the last entry is looked up again (XRANGE), and
 * the next read is sent no sooner than an interval that grows with what that look-up took.
 */

/** Milliseconds. The way to the server and back. */
const NETWORK = 0.4
const BLOCK = 1_000
const READ_INTERVAL = 10
const SLOWEST_READ_INTERVAL = 200
/** 0: as it was before, a read in 10 ms however slow the server is. */
const ROUND_TRIPS_PER_READ = Number(process.env['ROUND_TRIPS_PER_READ'] ?? 32)
const ENTRIES_PER_READ = 100
const LOG_LENGTH = 10_000

/**
 * Microseconds of the server's core, without pipelining: 65,000 to 100,000 commands a second (docs/scale.md).
 * @type {Record<string, number>}
 */
export const COSTS = { GET: 10, MGET: 11, SET: 11, DEL: 10, XADD: 13, XREAD: 12, XRANGE: 11, EVAL: 15 }

/** RESP's overhead for a part of a command or an answer. */
const PART = 8

export class SimulatedRedis {
  /** @type {Map<string, { commands: number, bytes: number }>} by purpose */
  counts = new Map()
  /** Microseconds that the core has worked. */
  worked = 0
  /** Of the answer that is given at this moment. */
  lastRoundTrip = 0
  #clock
  #busyUntil = 0
  /** @type {Map<string, { value: string, expiresAt: number }>} */
  #values = new Map()
  /** @type {Map<string, { token: string, expiresAt: number }>} */
  #leases = new Map()
  /** @type {{ at: number, messages: readonly string[], size: number }[]} */
  #log = []
  #trimmed = 0
  /** @type {Set<Follower>} */
  #followers = new Set()
  #tokens = 0

  /** @param {import('./ticking-clock.mjs').TickingClock} clock */
  constructor(clock) {
    this.#clock = clock
  }

  reset() {
    this.counts.clear()
    this.worked = 0
  }

  /** The storage of one worker. */
  connect() {
    /** @param {string} key */
    const read = (key) => {
      const held = this.#values.get(key)
      return held === undefined || held.expiresAt <= this.#clock.now() ? null : held.value
    }
    /** @param {string} key @param {string} value @param {number} [ttl] */
    const write = (key, value, ttl) => {
      this.#values.set(key, { value, expiresAt: ttl === undefined ? Infinity : this.#clock.now() + ttl })
    }
    /** @param {readonly string[]} texts */
    const size = (texts) => texts.reduce((sum, text) => sum + text.length + PART, 0)
    /** @param {string} key @param {(lease: { token: string, expiresAt: number } | undefined) => unknown} act */
    const onLease = (key, act) => {
      const lease = this.#leases.get(key)
      return act(lease !== undefined && lease.expiresAt > this.#clock.now() ? lease : undefined)
    }
    return {
      /** @param {string} key */
      get: (key) =>
        this.#send(
          'read',
          'GET',
          key.length + 16,
          () => read(key),
          (text) => text?.length ?? 0,
        ),
      /** @param {readonly string[]} keys */
      getMany: (keys) =>
        this.#send(
          'read',
          'MGET',
          size(keys),
          () => keys.map(read),
          (texts) => texts.reduce((sum, text) => sum + (text?.length ?? 0) + PART, 0),
          keys.length,
        ),
      /** @param {string} key @param {string} value @param {number} [ttl] */
      set: (key, value, ttl) =>
        this.#send('write', 'SET', key.length + value.length + 40, () => write(key, value, ttl)),
      /** @param {readonly { key: string, value: string, ttl?: number }[]} entries */
      setMany: (entries) =>
        Promise.all(
          entries.map(({ key, value, ttl }) =>
            this.#send('write', 'SET', key.length + value.length + 40, () => write(key, value, ttl)),
          ),
        ),
      /** @param {string} key */
      delete: (key) => this.#send('write', 'DEL', key.length + 16, () => this.#values.delete(key)),
      /** @param {readonly string[]} keys */
      deleteMany: (keys) =>
        this.#send('write', 'DEL', size(keys), () => keys.map((key) => this.#values.delete(key))),
      /** @param {string} key @param {string} value @param {number} [ttl] */
      add: (key, value, ttl) =>
        this.#send('write', 'SET', key.length + value.length + 40, () => {
          if (read(key) !== null) return false
          write(key, value, ttl)
          return true
        }),
      lease: {
        /** @param {string} key @param {number} ttl */
        acquire: (key, ttl) =>
          this.#send('lease', 'SET', key.length + 90, () =>
            onLease(key, (held) => {
              if (held !== undefined) return null
              const token = String(++this.#tokens)
              this.#leases.set(key, { token, expiresAt: this.#clock.now() + ttl })
              return token
            }),
          ),
        /** @param {string} key @param {string} token @param {number} ttl */
        renew: (key, token, ttl) =>
          this.#send('lease', 'EVAL', key.length + 180, () =>
            onLease(key, (held) => {
              if (held?.token !== token) return false
              held.expiresAt = this.#clock.now() + ttl
              return true
            }),
          ),
        /** @param {string} key @param {string} token */
        release: (key, token) =>
          this.#send('lease', 'EVAL', key.length + 160, () =>
            onLease(key, (held) => {
              if (held?.token === token) this.#leases.delete(key)
            }),
          ),
      },
      feed: {
        heartbeat: BLOCK,
        /** @param {readonly string[]} messages */
        append: (messages) => this.#send('append', 'XADD', size(messages) + 60, () => this.#append(messages)),
        /** @param {(messages: readonly string[]) => void} onMessages @param {(reason: string) => void} onGap @param {(age: number) => void} onHeard */
        follow: async (onMessages, onGap, onHeard) => {
          const follower = new Follower(this, this.#clock, onMessages, onGap, onHeard)
          follower.position = this.end
          this.#followers.add(follower)
          void follower.run()
          return () => this.#followers.delete(follower)
        },
      },
    }
  }

  get end() {
    return this.#trimmed + this.#log.length
  }

  /** @param {Follower} follower */
  isFollowed(follower) {
    return this.#followers.has(follower)
  }

  /** @param {Follower} follower */
  vouch(follower) {
    return this.#send(
      'follow',
      'XRANGE',
      60,
      () => follower.position >= this.#trimmed,
      () => 80,
    )
  }

  /** Resolves with what is new, at once or when there is something, or after `BLOCK` with nothing. @param {Follower} follower */
  async readAfter(follower) {
    await this.#send('follow', 'XREAD', 90, () => {})
    if (follower.position === this.end) {
      await new Promise((/** @type {(value?: unknown) => void} */ resolve) => {
        const timer = this.#clock.setTimeout(resolve, BLOCK)
        follower.stir = () => {
          this.#clock.clearTimeout(timer)
          resolve()
        }
      })
      follower.stir = null
      if (follower.position === this.end) return { messages: [], isFull: false }
      // Each follower that was blocked is answered by itself.
      await this.#send('answer', 'XREAD', 0, () => {})
    }
    const entries = this.#log.slice(
      follower.position - this.#trimmed,
      follower.position - this.#trimmed + ENTRIES_PER_READ,
    )
    follower.position += entries.length
    this.#count(
      'answer',
      0,
      entries.reduce((sum, entry) => sum + entry.size + 60, 0),
    )
    return {
      messages: entries.flatMap(({ messages }) => messages),
      isFull: entries.length === ENTRIES_PER_READ,
    }
  }

  /** @param {readonly string[]} messages */
  #append(messages) {
    this.#log.push({
      at: this.#clock.now(),
      messages,
      size: messages.reduce((sum, text) => sum + text.length + PART, 0),
    })
    if (this.#log.length > LOG_LENGTH)
      this.#trimmed += this.#log.splice(0, this.#log.length - LOG_LENGTH).length
    for (const { stir } of this.#followers) stir?.()
  }

  /** @param {string} purpose @param {number} commands @param {number} bytes */
  #count(purpose, commands, bytes) {
    const counted = this.counts.get(purpose) ?? { commands: 0, bytes: 0 }
    counted.commands += commands
    counted.bytes += bytes
    this.counts.set(purpose, counted)
  }

  /**
   * @template T
   * @param {string} purpose @param {string} command @param {number} bytes @param {() => T} effect
   * @param {(result: T) => number} [answer] bytes of it
   * @param {number} [keys]
   * @returns {Promise<T>}
   */
  #send(purpose, command, bytes, effect, answer = () => 5, keys = 1) {
    const cost = /** @type {number} */ (COSTS[command]) + 0.4 * (keys - 1)
    const now = this.#clock.now()
    this.worked += cost
    this.#busyUntil = Math.max(now + NETWORK / 2, this.#busyUntil) + cost / 1000
    const effectAt = this.#busyUntil
    return new Promise((resolve) => {
      this.#clock.setTimeout(
        () => {
          const result = effect()
          this.lastRoundTrip = effectAt + NETWORK / 2 - now
          this.#count(purpose, purpose === 'answer' ? 0 : 1, bytes + answer(result))
          resolve(result)
        },
        effectAt + NETWORK / 2 - now,
      )
    })
  }
}

class Follower {
  position = 0
  /** @type {(() => void) | null} */
  stir = null

  /**
   * @param {SimulatedRedis} server @param {import('./ticking-clock.mjs').TickingClock} clock
   * @param {(messages: readonly string[]) => void} onMessages @param {(reason: string) => void} onGap @param {(age: number) => void} onHeard
   */
  constructor(server, clock, onMessages, onGap, onHeard) {
    Object.assign(this, { server, clock, onMessages, onGap, onHeard })
  }

  async run() {
    const { server, clock, onMessages, onGap, onHeard } = /** @type {any} */ (this)
    let readAt = 0
    let askedAt = clock.now()
    while (server.isFollowed(this)) {
      if (!(await server.vouch(this))) {
        this.position = server.end
        onGap('the log was trimmed past this follower')
      } else {
        onHeard(clock.now() - askedAt)
      }
      const interval = Math.max(READ_INTERVAL, ROUND_TRIPS_PER_READ * server.lastRoundTrip)
      const pause = readAt + Math.min(interval, SLOWEST_READ_INTERVAL) - clock.now()
      if (pause > 0) await new Promise((resolve) => clock.setTimeout(resolve, pause))
      askedAt = clock.now()
      const { messages, isFull } = await server.readAfter(this)
      readAt = messages.length === 0 || isFull ? 0 : clock.now()
      if (messages.length === 0) continue
      onMessages(messages)
    }
  }
}
