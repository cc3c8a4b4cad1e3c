/**
 * Connections of their own over node-redis: to one server, or to the master that a Sentinel or Cluster names.
 *
 * Each is a duplicate of the client that the user gave, so that address, login, TLS and address maps are the same.
 * Owns what it duplicates. May import errors and this folder.
 */

import { StorageError } from '../../errors.ts'
import { clusterSlot } from './cluster-slot.ts'
import {
  keyPrefixOf,
  type NodeRedisClient,
  type NodeRedisClusterClient,
  type NodeRedisSentinelClient,
  PLAIN,
} from './node-redis-commands.ts'
import { dropClient, type OwnClient } from './own-client.ts'
import type { RedisLine } from './redis-commands.ts'

interface Duplicable {
  readonly options?: { readonly socket?: object } | undefined
  duplicate(overrides: object): OwnClient
}

type OpenLine = (key: string, onLost: (error: Error) => void) => Promise<RedisLine>

/** `client` is the line's alone from now on; `key` has its prefix. */
export async function nodeRedisLine(
  client: OwnClient,
  connect: () => Promise<unknown>,
  key: string,
  onLost: (error: Error) => void,
): Promise<RedisLine> {
  let isOpen = false
  const lost = (error: Error) => {
    if (isOpen) onLost(error)
  }
  client.on('error', lost as () => void)
  client.on('end', () => lost(new Error('the connection has ended')))
  client.unref()
  try {
    await connect()
    if (!client.isReady) throw new Error('the connection was lost at once')
    isOpen = true
  } catch (error) {
    dropClient(client)
    throw error
  }
  // It has no socket to unref before.
  client.unref()
  return {
    key,
    send: (args) => client.sendCommand([...args], PLAIN),
    close: () => dropClient(client),
  }
}

export function nodeRedisLines(client: NodeRedisClient): OpenLine {
  return (key, onLost) => duplicateOf(client, keyPrefixOf(client) + key, onLost)
}

export function nodeRedisSentinelLines(sentinel: NodeRedisSentinelClient): OpenLine {
  return async (key, onLost) => {
    if (!sentinel.isReady)
      throw new StorageError('STORAGE_UNAVAILABLE', 'the Redis Sentinel client is not ready')
    const { _execute: execute } = sentinel as unknown as {
      _execute(isReadonly: boolean, run: (master: NodeRedisClient) => Promise<unknown>): Promise<unknown>
    }
    let master: NodeRedisClient | undefined
    await execute.call(sentinel, false, async (client) => {
      master = client
    })
    return duplicateOf(master!, keyPrefixOf(sentinel) + key, onLost)
  }
}

export function nodeRedisClusterLines(cluster: NodeRedisClusterClient, rediscover: () => void): OpenLine {
  let hasOpened = false
  return async (key, onLost) => {
    // The former one may have been lost to a failover, which only a reply would tell, and a dead master gives none.
    if (hasOpened) rediscover()
    hasOpened = true
    const name = keyPrefixOf(cluster) + key
    const slot = clusterSlot(name)
    const node = cluster.slots[slot]?.master
    const client = node && ((node.client ?? (await cluster.nodeClient(node as never))) as NodeRedisClient)
    if (client?.isReady) return duplicateOf(client, name, onLost)
    throw new StorageError('STORAGE_UNAVAILABLE', `the Redis Cluster node of slot ${slot} is away`)
  }
}

function duplicateOf(
  client: NodeRedisClient,
  name: string,
  onLost: (error: Error) => void,
): Promise<RedisLine> {
  const given = client as unknown as Duplicable
  const own = given.duplicate({
    socket: { ...given.options?.socket, reconnectStrategy: false, socketTimeout: undefined },
    commandOptions: undefined,
    disableOfflineQueue: true,
    pingInterval: undefined,
    clientSideCache: undefined,
    readonly: false,
    RESP: 2,
    maintNotifications: 'disabled',
  })
  return nodeRedisLine(own, () => own.connect(), name, onLost)
}
