/**
 * Connections of their own over ioredis: to one server or what its Sentinels name, or to a Cluster's master.
 *
 * Each is a duplicate of the client that the user gave, so that address, login, TLS and address maps are the same.
 * Owns what it duplicates. May import errors and this folder.
 */

import { StorageError } from '../../errors.ts'
import { clusterSlot } from './cluster-slot.ts'
import { type IORedisClient, type IORedisClusterClient, keyPrefixOf } from './ioredis-commands.ts'
import type { RedisLine } from './redis-commands.ts'

interface Duplicable {
  readonly stream?: { unref?(): void; destroy?(): void } | undefined
  readonly options?: { readonly host?: string; readonly port?: number } | undefined
  duplicate(overrides: object): Duplicable & IORedisClient & { disconnect(): void }
}

interface ClusterInside {
  readonly slots: readonly (readonly string[] | undefined)[]
  refreshSlotsCache(): void
}

type OpenLine = (key: string, onLost: (error: Error) => void) => Promise<RedisLine>

export function ioredisLines(client: IORedisClient): OpenLine {
  return (key, onLost) => duplicateOf(client, keyPrefixOf(client) + key, onLost)
}

export function ioredisClusterLines(cluster: IORedisClusterClient): OpenLine {
  const inside = cluster as unknown as ClusterInside
  let hasOpened = false
  return async (key, onLost) => {
    // The former one may have been lost to a failover, which only a reply would tell, and a dead master gives none.
    if (hasOpened) inside.refreshSlotsCache()
    hasOpened = true
    const name = keyPrefixOf(cluster) + key
    const slot = clusterSlot(name)
    const address = inside.slots[slot]?.[0]
    const node = cluster.nodes('master').find((one) => {
      const { host, port } = (one as unknown as Duplicable).options ?? {}
      return `${host}:${port}` === address
    })
    if (node) return duplicateOf(node as unknown as IORedisClient, name, onLost)
    throw new StorageError('STORAGE_UNAVAILABLE', `the Redis Cluster node of slot ${slot} is away`)
  }
}

async function duplicateOf(
  client: IORedisClient,
  name: string,
  onLost: (error: Error) => void,
): Promise<RedisLine> {
  const own = (client as unknown as Duplicable).duplicate({
    lazyConnect: true,
    retryStrategy: null,
    sentinelRetryStrategy: null,
    reconnectOnError: null,
    failoverDetector: false,
    enableOfflineQueue: false,
    enableAutoPipelining: false,
    // They would take a blocking read for a dead one.
    commandTimeout: undefined,
    socketTimeout: undefined,
    blockingTimeout: undefined,
    keyPrefix: '',
    readOnly: false,
    monitor: false,
    // Of ioredis 6.
    protocol: 2,
    replyMapping: undefined,
  })
  const close = () => {
    own.disconnect()
    // It would give a server that does not answer two seconds to say goodbye.
    own.stream?.destroy?.()
  }
  let isOpen = false
  let reason: Error | undefined
  const lost = (error: Error) => {
    reason ??= error
    if (isOpen) onLost(error)
  }
  const listeners: [event: string, listener: (error: Error) => void][] = [
    ['error', lost],
    ['close', () => lost(new Error('the connection has ended'))],
    ['connect', () => own.stream?.unref?.()],
  ]
  for (const [event, listener] of listeners) own.on(event, listener as () => void)
  try {
    await own.connect()
    if (own.status !== 'ready') throw new Error('the connection was lost at once')
    isOpen = true
  } catch (error) {
    close()
    throw reason ?? error
  }
  return { key: name, send: ([command = '', ...args]) => own.call(command, ...args), close }
}
