/**
 * L2 in Redis, or in anything that speaks its protocol (Valkey, KeyDB, Dragonfly, the clouds' own).
 *
 * Invariants: no operation waits for a server that is away: each is sent at once, or refused at once
 * (`STORAGE_UNAVAILABLE`), but for those that come during the very first attempt to connect, which wait for its
 * end. What was sent is answered, or rejected when its connection is lost, or given up after `replyTimeout`
 * (see `PendingReplies`). Values and keys come back as they were given, whatever code units they hold. No
 * command names keys of two cluster slots on a cluster.
 *
 * States: open, closed; closed is final, and everything is refused then. Connections and timers are owned by
 * `OwnConnection`, `PendingReplies` and `RedisFeed`; a client that the user gave is only borrowed (`GivenConnection`).
 * `close` stops the followers, waits for the replies that are pending, then drops the connection. May import ports,
 * errors and this folder.
 */

import { InvalidOptionError, StorageError } from '../../errors.ts'
import type { ChangeFeed, LeaseProvider, StorageBackend, StorageEntry } from '../../ports/storage.ts'
import { GivenConnection } from './given-connection.ts'
import { OwnConnection } from './own-connection.ts'
import { asItIs, PendingReplies } from './pending-replies.ts'
import type { RedisCommands, RedisConnection, RedisWrite } from './redis-commands.ts'
import { toPx } from './redis-duration.ts'
import { toStorageError } from './redis-error.ts'
import { RedisFeed } from './redis-feed.ts'
import { redisLease, setIfAbsent } from './redis-lease.ts'
import {
  DEFAULT_CONNECT_TIMEOUT,
  DEFAULT_FEED_KEY,
  DEFAULT_FEED_LENGTH,
  DEFAULT_REPLY_TIMEOUT,
  DEFAULT_URL,
  parseRedisUrl,
  type RedisStorageOptions,
  validDuration,
  validFeedKey,
  validLength,
} from './redis-options.ts'
import { scanKeys } from './scan-keys.ts'
import { decodeText, decodeTexts, encodeText } from './text-codec.ts'

export class RedisStorage implements StorageBackend {
  readonly lease: LeaseProvider
  readonly feed: ChangeFeed
  readonly #pending: PendingReplies
  readonly #connection: RedisConnection
  readonly #feed: RedisFeed
  readonly #feedKey: string
  readonly #readTexts: (reply: (string | null)[]) => (string | null)[]
  #isClosed = false

  /**
   * Begins to connect, in the background: neither blocks nor rejects.
   *
   * @example new RedisStorage('rediss://user:password@cache.example.com:6380/2')
   * @example new RedisStorage({ client: new Redis.Cluster(nodes) })
   * @throws InvalidOptionError (`INVALID_OPTION`) where an option is out of its range, or `client` of no known shape.
   */
  constructor(urlOrOptions: string | RedisStorageOptions = {}) {
    const options = typeof urlOrOptions === 'string' ? { url: urlOrOptions } : urlOrOptions
    if (typeof options !== 'object' || options === null) {
      throw new InvalidOptionError(`RedisStorage: expected a URL or options, got ${String(options)}`)
    }
    const { url, tls, client, connectTimeout, replyTimeout = DEFAULT_REPLY_TIMEOUT } = options
    this.#pending = new PendingReplies(validDuration('replyTimeout', replyTimeout), {
      setBusy: (isBusy) => this.#connection.setBusy(isBusy),
      stalled: (error) => this.#connection.stalled(error),
    })
    this.lease = redisLease((keyIndex, args) =>
      this.#send(0, (commands) => commands.call(keyIndex, args), asItIs),
    )
    this.#feedKey = validFeedKey(options.feedKey ?? DEFAULT_FEED_KEY)
    this.#feed = new RedisFeed({
      key: this.#feedKey,
      length: validLength('feedLength', options.feedLength ?? DEFAULT_FEED_LENGTH),
      replyTimeout,
      send: (size, entries) =>
        this.#send(size, (commands) => Promise.all(entries.map((entry) => commands.call(1, entry))), asItIs),
      openLine: (key, onLost) => this.#connection.openLine(key, onLost),
    })
    this.feed = this.#feed
    // What a client of the user's hands out may be looked at by others.
    this.#readTexts = client === undefined ? takeTexts : decodeTexts
    if (client === undefined) {
      this.#connection = new OwnConnection(
        parseRedisUrl(url ?? DEFAULT_URL, tls),
        validDuration('connectTimeout', connectTimeout ?? DEFAULT_CONNECT_TIMEOUT),
      )
      return
    }
    const surplus = Object.entries({ url, tls, connectTimeout }).find(([, value]) => value !== undefined)
    if (surplus) throw new InvalidOptionError(`${surplus[0]}: expected none where \`client\` is given`)
    this.#connection = new GivenConnection(client, (error) => this.#pending.rejectAll(error))
  }

  async get(key: string): Promise<string | null> {
    const name = encodeText(key)
    return this.#send(name.length, (commands) => commands.get(name), decoded)
  }

  /** A `ttl` of 0 or below has run out already: the key is deleted. */
  async set(key: string, value: string, ttl?: number): Promise<void> {
    const write = encodeWrite(key, value, ttl)
    await this.#send(sizeOf(write), (commands) => store(commands, write), asItIs)
  }

  async delete(key: string): Promise<void> {
    await this.deleteMany([key])
  }

  getMany(keys: readonly string[]): Promise<(string | null)[]> {
    if (keys.length === 0) return Promise.resolve([])
    const names = keys.map(encodeText)
    return this.#send(0, (commands) => commands.getMany(names), this.#readTexts)
  }

  async setMany(entries: readonly StorageEntry[]): Promise<void> {
    if (entries.length === 0) return
    const writes = entries.map(({ key, value, ttl }) => encodeWrite(key, value, ttl))
    const size = writes.reduce((sum, write) => sum + sizeOf(write), 0)
    const send = (commands: RedisCommands): Promise<unknown> =>
      writes.every(isLive)
        ? commands.setMany(writes)
        : Promise.all(writes.map((write) => store(commands, write)))
    await this.#send(size, send, asItIs)
  }

  async deleteMany(keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return
    const names = keys.map(encodeText)
    await this.#send(0, (commands) => commands.delete(names), asItIs)
  }

  /** A `ttl` of 0 or below is one of a millisecond. */
  async add(key: string, value: string, ttl?: number): Promise<boolean> {
    const { key: name, value: text } = encodeWrite(key, value, undefined)
    const command = setIfAbsent(name, text, ttl)
    return this.#send(name.length + text.length, (commands) => commands.call(1, command), isNotNull)
  }

  /**
   * By SCAN over every node: what is there from beginning to end is found, what comes or goes meanwhile may be.
   * A key comes once, as long as there are fewer than 100,000 of them; after that, rarely twice. Leases and the
   * feed's stream are not listed.
   */
  keys(prefix: string): AsyncGenerator<string, void> {
    return scanKeys(prefix, this.#feedKey, (run) => this.#send(0, run, asItIs))
  }

  /** Waits for replies that are pending (1.25 x `replyTimeout` at most). May be called again. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#feed.close()
    await this.#pending.drained()
    this.#connection.close()
  }

  /** `read`: what is told of the reply. */
  #send<T, R>(size: number, run: (commands: RedisCommands) => Promise<T>, read: (reply: T) => R): Promise<R> {
    try {
      if (this.#isClosed) throw new StorageError('STORAGE_UNAVAILABLE', 'this RedisStorage is closed')
      const commands = this.#connection.commands()
      const reply = commands instanceof Promise ? commands.then(run) : run(commands)
      return this.#pending.track(size, reply, read)
    } catch (error) {
      return Promise.reject(toStorageError(error))
    }
  }
}

function encodeWrite(key: string, value: string, ttl: number | undefined): RedisWrite {
  if (typeof value !== 'string') {
    throw new StorageError('STORAGE_FAILED', `RedisStorage holds strings only, got ${typeof value}`)
  }
  return { key: encodeText(key), value: encodeText(value), px: toPx(ttl) }
}

function isLive({ px }: RedisWrite): boolean {
  return px === undefined || px > 0
}

function store(commands: RedisCommands, write: RedisWrite): Promise<unknown> {
  return isLive(write) ? commands.set(write) : commands.delete([write.key])
}

function sizeOf({ key, value }: RedisWrite): number {
  return key.length + value.length
}

function isNotNull(reply: unknown): boolean {
  return reply !== null
}

/**
 * The driver's list is left empty: what a driver kept of a command may be among the old ones for V8, and would hold the
 * texts of its reply until all is collected.
 */
function takeTexts(reply: (string | null)[]): (string | null)[] {
  const texts = decodeTexts(reply)
  reply.length = 0
  return texts
}

function decoded(value: string | null): string | null {
  return value === null ? null : decodeText(value)
}
