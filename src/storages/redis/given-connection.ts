/**
 * A client that the user gave: told apart by its shape, watched, never closed.
 *
 * Both libraries queue commands while they are not connected, and wait; here a command is refused unless the
 * client is ready, so nothing is queued whatever its settings are. One exception: an ioredis client connects by
 * itself, so while its very first attempt runs an operation waits for the end of that.
 * Owns only its listeners, which `close` removes. No timers. May import errors and this folder.
 */

import { InvalidOptionError, StorageError } from '../../errors.ts'
import {
  type IORedisClient,
  type IORedisClusterClient,
  ioredisClusterCommands,
  ioredisCommands,
} from './ioredis-commands.ts'
import { ioredisClusterLines, ioredisLines } from './ioredis-line.ts'
import {
  type NodeRedisClient,
  type NodeRedisSentinelClient,
  nodeRedisClusterCommands,
  nodeRedisCommands,
  nodeRedisSentinelCommands,
  PLAIN,
  rediscoverer,
} from './node-redis-commands.ts'
import { nodeRedisClusterLines, nodeRedisLines, nodeRedisSentinelLines } from './node-redis-line.ts'
import type { RedisCommands, RedisConnection, RedisLine } from './redis-commands.ts'
import { reasonOf } from './redis-error.ts'
import type { RedisClient } from './redis-options.ts'

interface Adapted {
  readonly commands: RedisCommands
  /** How the client calls its state, `ready` where commands may be sent. */
  readonly status: () => string
  readonly openLine: RedisConnection['openLine']
  /** Whether all its commands are on one connection, which these events end. */
  readonly isOneConnection: boolean
  /** An ioredis client, which connects without being told to. */
  readonly self?: IORedisClient | IORedisClusterClient
}

export class GivenConnection implements RedisConnection {
  readonly #adapted: Adapted
  readonly #unlisten: () => void
  #first: Promise<void> | undefined
  #reason: unknown

  /** `onLost` is called when the client's one connection has gone, with all that was sent on it. */
  constructor(client: RedisClient, onLost: (error: Error) => void) {
    this.#adapted = adapt(client)
    const { isOneConnection, self, status } = this.#adapted
    const lost = () => onLost(this.#unavailable())
    const listeners: [event: string, listener: (error: Error) => void][] = [
      ['error', (error) => (this.#reason = error)],
      ...(isOneConnection
        ? (['close', 'reconnecting', 'end'] as const).map((event): [string, () => void] => [event, lost])
        : []),
    ]
    for (const [event, listener] of listeners) client.on(event, listener as () => void)
    this.#unlisten = () => {
      for (const [event, listener] of listeners) client.off(event, listener as () => void)
    }
    if (self && ['wait', 'connecting', 'connect'].includes(status())) this.#first = firstAttempt(self)
    this.#first?.then(() => {
      this.#first = undefined
    })
  }

  commands(): RedisCommands | Promise<RedisCommands> {
    if (this.#adapted.status() === 'ready') return this.#adapted.commands
    if (this.#first) return this.#first.then(() => this.#checked())
    return this.#checked()
  }

  setBusy(): void {}
  stalled(): void {}

  async openLine(key: string, onLost: (error: Error) => void): Promise<RedisLine> {
    await this.#first
    return this.#adapted.openLine(key, onLost)
  }

  close(): void {
    this.#unlisten()
  }

  #checked(): RedisCommands {
    if (this.#adapted.status() === 'ready') return this.#adapted.commands
    throw this.#unavailable()
  }

  #unavailable(): StorageError {
    const reason = this.#reason === undefined ? '' : `: ${reasonOf(this.#reason)}`
    return new StorageError(
      'STORAGE_UNAVAILABLE',
      `the Redis client that was given is ${this.#adapted.status()}${reason}`,
      { cause: this.#reason },
    )
  }
}

function adapt(client: RedisClient): Adapted {
  if (isIORedis(client)) {
    const status = () => client.status
    if (!isIORedisCluster(client)) {
      const [commands, openLine] = [ioredisCommands(client), ioredisLines(client)]
      return { commands, openLine, status, isOneConnection: true, self: client }
    }
    const { scaleReads = 'master' } = (client as { options?: { scaleReads?: unknown } }).options ?? {}
    if (scaleReads !== 'master') {
      throw new InvalidOptionError(
        `client: expected an ioredis Cluster with scaleReads: 'master' (a replica may still answer with what was invalidated), got ${JSON.stringify(scaleReads) ?? String(scaleReads)}`,
      )
    }
    const [commands, openLine] = [ioredisClusterCommands(client), ioredisClusterLines(client)]
    return { commands, openLine, status, isOneConnection: false, self: client }
  }
  if (isObject(client) && 'sendCommand' in client && 'isOpen' in client) {
    const ready = (isReady: boolean) => (isReady ? 'ready' : client.isOpen ? 'not connected' : 'not open')
    if ('masters' in client && 'slots' in client) {
      // Whether the one node is ready that a command is for is seen when it is sent.
      const status = () => ready(client.isOpen && client.masters.length > 0)
      const rediscover = rediscoverer(client)
      const commands = nodeRedisClusterCommands(client, rediscover)
      return { commands, openLine: nodeRedisClusterLines(client, rediscover), status, isOneConnection: false }
    }
    if ('isReady' in client) {
      const status = () => ready(client.isReady)
      if ('getSentinelNode' in client) {
        const sentinel = client as NodeRedisSentinelClient
        const [commands, openLine] = [nodeRedisSentinelCommands(sentinel), nodeRedisSentinelLines(sentinel)]
        return { commands, openLine, status, isOneConnection: false }
      }
      const single = client as NodeRedisClient
      const [commands, openLine] = [nodeRedisCommands(single, PLAIN), nodeRedisLines(single)]
      return { commands, openLine, status, isOneConnection: true }
    }
  }
  throw new InvalidOptionError(
    `client: expected a client of node-redis (createClient, createSentinel or createCluster) or of ioredis (Redis or Cluster), got ${describe(client)}`,
  )
}

function isIORedis(client: RedisClient): client is IORedisClient | IORedisClusterClient {
  return isObject(client) && 'status' in client && 'connect' in client && 'get' in client
}

function isIORedisCluster(client: IORedisClient | IORedisClusterClient): client is IORedisClusterClient {
  return 'isCluster' in client && client.isCluster
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function describe(value: unknown): string {
  return isObject(value) ? `an object of ${value.constructor?.name ?? 'no class'}` : String(value)
}

function firstAttempt(client: IORedisClient | IORedisClusterClient): Promise<void> {
  // With `lazyConnect` it waits for a command, which would be refused.
  if (client.status === 'wait') client.connect().catch(() => undefined)
  return new Promise((resolve) => {
    const events = ['ready', 'error', 'close', 'end']
    const settle = () => {
      for (const event of events) client.off(event, settle)
      resolve()
    }
    for (const event of events) client.on(event, settle)
  })
}
