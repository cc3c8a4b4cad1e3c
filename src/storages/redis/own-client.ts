/**
 * The node-redis clients that the storage makes itself: for commands, and one for each follower of the feed.
 *
 * None reconnects by itself: node-redis' timers for that keep a process alive, and it does not reconnect what
 * only stalled. May import errors and this folder.
 */

import { MissingDriverError } from '../../errors.ts'
import type { NodeRedisClient } from './node-redis-commands.ts'
import type { RedisAddress } from './redis-options.ts'

export interface OwnClient extends NodeRedisClient {
  connect(): Promise<unknown>
  destroy(): void
  ref(): void
  unref(): void
}

/** @throws MissingDriverError (`MISSING_DRIVER`) where the package `redis` is not installed. */
export async function createOwnClient(address: RedisAddress, connectTimeout: number): Promise<OwnClient> {
  const { host, port, tls, username, password, database } = address
  const createClient = await loadCreateClient()
  return createClient({
    username,
    password,
    database,
    socket: {
      ...tls,
      host,
      port,
      tls: tls !== undefined,
      connectTimeout,
      reconnectStrategy: false,
    },
    disableOfflineQueue: true,
    // Servers and proxies of all ages speak it, and nothing here needs more.
    RESP: 2,
    maintNotifications: 'disabled',
    clientInfoTag: 'stackquery',
  })
}

/** Connects within `timeout`, and then logs in within `timeout`, for which node-redis itself would wait without limit. */
export async function connectInTime(client: OwnClient, timeout: number): Promise<void> {
  let login: NodeJS.Timeout | undefined
  let late: Error | undefined
  const onConnect = () => {
    login = setTimeout(() => {
      late = new Error(`connected, but no answer within ${timeout} ms`)
      dropClient(client)
    }, timeout).unref()
  }
  client.on('connect', onConnect)
  try {
    await client.connect()
    if (!client.isReady) throw new Error('the connection was lost at once')
  } catch (error) {
    throw late ?? error
  } finally {
    clearTimeout(login)
    client.off('connect', onConnect)
  }
}

export function dropClient(client: { readonly isOpen: boolean; destroy(): void }): void {
  try {
    if (client.isOpen) client.destroy()
  } catch {
    // It was closed in between.
  }
}

async function loadCreateClient(): Promise<(options: object) => OwnClient> {
  try {
    // A literal name, so that bundlers see it.
    const { createClient } = await import('redis')
    return createClient as unknown as (options: object) => OwnClient
  } catch (error) {
    throw new MissingDriverError(
      "RedisStorage needs the package 'redis', version 5 or 6 (npm install redis), or a connected client of your own: new RedisStorage({ client })",
      { cause: error },
    )
  }
}
