/** The options of `RedisStorage`, validated once. May import errors and this folder. */

import { InvalidOptionError } from '../../errors.ts'
import type { IORedisClient, IORedisClusterClient } from './ioredis-commands.ts'
import type {
  NodeRedisClient,
  NodeRedisClusterClient,
  NodeRedisSentinelClient,
} from './node-redis-commands.ts'

/** Any of the clients that a storage can be given, told apart by their shape. */
export type RedisClient =
  | NodeRedisClient
  | NodeRedisSentinelClient
  | NodeRedisClusterClient
  | IORedisClient
  | IORedisClusterClient

/** Passed to `tls.connect`, such as `ca`, `cert`, `key`, `servername`. */
export type RedisTlsOptions = Readonly<Record<string, unknown>>

export interface RedisStorageOptions {
  /**
   * Where the server is: `redis[s]://[[user]:password@]host[:port][/database]`; `rediss:` is TLS. Percent-encode
   * what is special in a user or password. Not with `client`.
   * @default 'redis://localhost:6379'
   */
  readonly url?: string | undefined
  /**
   * More settings of the TLS connection, of a `rediss:` URL only: what `tls.connect` takes, such as `ca`, `cert`,
   * `key`, `servername`.
   * @default none
   */
  readonly tls?: RedisTlsOptions | undefined
  /**
   * The longest that one attempt to connect may take for each of its two parts, the connection (with TLS) and the
   * login, in milliseconds: above 0, at most 2_147_483_647. Only operations of the very first attempt wait for it.
   * Not with `client`.
   * @default 2_000
   */
  readonly connectTimeout?: number | undefined
  /**
   * A command that is unanswered for so long, in milliseconds (above 0, at most 2_147_483_647), is given up with
   * `STORAGE_TIMEOUT`, 1.25 times that at the latest; the storage's own connection is then dropped and made anew.
   * This is how a connection that died without a word is found. It is not the deadline of a fetch
   * (`storageTimeout` of the client is, and is shorter).
   * @default 2_000
   */
  readonly replyTimeout?: number | undefined
  /**
   * A connected client of your own, which stays yours: the storage never closes it. node-redis 5 or 6
   * (`createClient`, `createSentinel`, `createCluster`) or ioredis 5 or 6 (`Redis`, with Sentinel or without;
   * `Cluster`, with `scaleReads: 'master'`). An operation is refused at once while it is not ready, whatever its
   * own offline queue is set to. A listener is added to its 'error' event, since an error event that nobody
   * listens to ends the process.
   * @default a node-redis client made from `url`, which needs the package `redis`
   */
  readonly client?: RedisClient | undefined
  /**
   * The key of the stream that is the change feed, at least one character. All that follow each other's changes use
   * the same; a key prefix of the client comes before it.
   * @default 'sq:feed'
   */
  readonly feedKey?: string | undefined
  /**
   * Entries that the change feed keeps, an integer of at least 1; the server trims it to about that, never less. What
   * is appended together is one entry (of 100 messages or 16 KB at most). A follower that was away for longer
   * than this lasts has to verify what it holds.
   * @default 10_000
   */
  readonly feedLength?: number | undefined
}

/** What node-redis is given to connect with. */
export interface RedisAddress {
  readonly host: string
  readonly port: number
  readonly tls: RedisTlsOptions | undefined
  readonly username: string | undefined
  readonly password: string | undefined
  readonly database: number
}

export const DEFAULT_URL = 'redis://localhost:6379'
export const DEFAULT_CONNECT_TIMEOUT = 2_000
export const DEFAULT_REPLY_TIMEOUT = 2_000
export const DEFAULT_FEED_KEY = 'sq:feed'
export const DEFAULT_FEED_LENGTH = 10_000

const DEFAULT_PORT = 6379
// The longest delay of a Node timer; a longer one would fire at once.
const LONGEST_DELAY = 2_147_483_647
const FORM = 'redis[s]://[[user]:password@]host[:port][/database]'

export function validDuration(name: string, value: number): number {
  if (typeof value === 'number' && value > 0 && value <= LONGEST_DELAY) return value
  throw new InvalidOptionError(
    `${name}: expected milliseconds above 0 and at most ${LONGEST_DELAY}, got ${String(value)}`,
  )
}

export function validLength(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 1) return value
  throw new InvalidOptionError(`${name}: expected an integer of at least 1, got ${String(value)}`)
}

export function validFeedKey(value: string): string {
  if (typeof value === 'string' && value !== '') return value
  throw new InvalidOptionError(
    `feedKey: expected a string of at least one character, got ${JSON.stringify(value)}`,
  )
}

/** @throws InvalidOptionError (`INVALID_OPTION`) quoting the URL, without its password. */
export function parseRedisUrl(text: unknown, tls?: RedisTlsOptions): RedisAddress {
  const invalid = (expected: string) =>
    new InvalidOptionError(`url: expected ${expected}, got ${JSON.stringify(redact(text))}`)
  if (typeof text !== 'string' || !URL.canParse(text)) throw invalid(FORM)
  const url = new URL(text)
  const isTls = url.protocol === 'rediss:'
  if (url.protocol !== 'redis:' && !isTls) throw invalid('a protocol of redis: or rediss:')
  if (tls && !isTls) throw invalid('rediss: where `tls` is given')
  if (url.search !== '' || url.hash !== '') throw invalid(`neither query nor fragment, ${FORM}`)
  const database = /^\/?(\d*)$/.exec(url.pathname)?.[1]
  if (database === undefined) throw invalid('a database number after the host')
  const decode = (part: string) => {
    try {
      return part === '' ? undefined : decodeURIComponent(part)
    } catch {
      throw invalid('a user and password that are percent-encoded')
    }
  }
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1') || 'localhost',
    port: url.port === '' ? DEFAULT_PORT : Number(url.port),
    tls: isTls ? (tls ?? {}) : undefined,
    username: decode(url.username),
    password: decode(url.password),
    database: Number(database),
  }
}

function redact(url: unknown): unknown {
  if (typeof url !== 'string') return url === undefined ? 'undefined' : String(url)
  // Greedy: an unencoded password may hold an @ itself.
  return url.replace(/^([^:/]*:(?:\/\/)?).*@/s, '$1***@').replace(/(password=)[^&]*/gi, '$1***')
}
