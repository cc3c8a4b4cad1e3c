/**
 * The commands over node-redis (`redis` 5 and 6): one server, Sentinel, Cluster.
 *
 * Everything goes through `sendCommand`, for two reasons: its reads go to masters whatever the client's replica
 * settings are (a replica may still answer with what was invalidated), and its replies are the same in both
 * majors. node-redis writes all commands of one tick in one go, to each node. May import ports and errors.
 */

import { StorageError } from '../../errors.ts'
import { clusterSlot } from './cluster-slot.ts'
import type { RedisCommands, RedisWrite, ScanPage } from './redis-commands.ts'

/** A node-redis client: `createClient()`. */
export interface NodeRedisClient {
  readonly isOpen: boolean
  readonly isReady: boolean
  sendCommand(args: string[], options?: object): Promise<unknown>
  on(event: string, listener: () => void): unknown
  off(event: string, listener: () => void): unknown
}

/** A node-redis sentinel: `createSentinel()`. */
export interface NodeRedisSentinelClient {
  readonly isOpen: boolean
  readonly isReady: boolean
  sendCommand(isReadonly: boolean | undefined, args: string[], options?: object): Promise<unknown>
  getSentinelNode(): unknown
  on(event: string, listener: () => void): unknown
  off(event: string, listener: () => void): unknown
}

interface NodeRedisClusterNode {
  readonly client?: unknown
}

/** A node-redis cluster: `createCluster()`. */
export interface NodeRedisClusterClient {
  readonly isOpen: boolean
  readonly masters: readonly NodeRedisClusterNode[]
  readonly slots: readonly { readonly master: NodeRedisClusterNode }[]
  sendCommand(
    firstKey: string | undefined,
    isReadonly: boolean | undefined,
    args: string[],
    options?: object,
  ): Promise<unknown>
  nodeClient(node: never): unknown
  on(event: string, listener: () => void): unknown
  off(event: string, listener: () => void): unknown
}

type Send = (args: string[], key: string) => Promise<unknown>

// Replies as strings, even where the user's client maps them to something else.
export const PLAIN = { typeMapping: {} }
const REDISCOVERY_PAUSE = 1_000

/** `options`: of each command; none for a client that maps nothing. */
export function nodeRedisCommands(client: NodeRedisClient, options?: object): RedisCommands {
  const send: Send = (args) => client.sendCommand(args, options)
  return oneServer(send, keyPrefixOf(client))
}

export function nodeRedisSentinelCommands(client: NodeRedisSentinelClient): RedisCommands {
  const send: Send = (args) => client.sendCommand(false, args, PLAIN)
  return oneServer(send, keyPrefixOf(client))
}

export function nodeRedisClusterCommands(
  cluster: NodeRedisClusterClient,
  rediscover: () => void,
): RedisCommands {
  const keyPrefix = keyPrefixOf(cluster)
  const send: Send = (args, key) => {
    const node = cluster.slots[clusterSlot(key)]?.master
    // No client yet: the cluster connects to its nodes as they are needed.
    const client = node?.client as NodeRedisClient | undefined
    if (node && client?.isReady !== false) return cluster.sendCommand(key, false, args, PLAIN)
    rediscover()
    return Promise.reject(
      new StorageError('STORAGE_UNAVAILABLE', `the Redis Cluster node of slot ${clusterSlot(key)} is away`),
    )
  }
  return {
    ...singles(send, keyPrefix),
    // No command may name keys of two slots; the client groups what one tick brings by node.
    getMany: (keys) => Promise.all(keys.map((key) => get(send, keyPrefix + key))),
    // Version 6 has DEL, which may name many keys, overtaken by commands that were sent after it; a ttl of 0 deletes too.
    delete: (keys) =>
      Promise.all(keys.map((key) => send(['PEXPIRE', keyPrefix + key, '0'], keyPrefix + key))),
    scanners: () =>
      Promise.all(
        cluster.masters.map(async (node) => {
          const client = (await cluster.nodeClient(node as never)) as NodeRedisClient
          return scanner((args) => client.sendCommand(args, PLAIN))
        }),
      ),
  }
}

function oneServer(send: Send, keyPrefix: string): RedisCommands {
  return {
    ...singles(send, keyPrefix),
    getMany: (keys) => send(named('MGET', keyPrefix, keys), '') as Promise<(string | null)[]>,
    delete: (keys) => send(named('DEL', keyPrefix, keys), ''),
    scanners: async () => [scanner(send)],
  }
}

function singles(
  send: Send,
  keyPrefix: string,
): Pick<RedisCommands, 'keyPrefix' | 'get' | 'set' | 'setMany' | 'call'> {
  const set = ({ key, value, px }: RedisWrite) => {
    const name = keyPrefix + key
    return send(px === undefined ? ['SET', name, value] : ['SET', name, value, 'PX', String(px)], name)
  }
  return {
    keyPrefix,
    get: (key) => get(send, keyPrefix + key),
    set,
    call: (keyIndex, args) => {
      const name = keyPrefix + args[keyIndex]
      return send([...args.slice(0, keyIndex), name, ...args.slice(keyIndex + 1)], name)
    },
    setMany: (writes) => Promise.all(writes.map(set)),
  }
}

function get(send: Send, name: string): Promise<string | null> {
  return send(['GET', name], name) as Promise<string | null>
}

function scanner(send: Send): ScanPage {
  return (cursor, match, count) =>
    send(['SCAN', cursor, 'MATCH', match, 'COUNT', String(count)], '') as ReturnType<ScanPage>
}

function named(command: string, keyPrefix: string, keys: readonly string[]): string[] {
  const args = [command]
  for (const key of keys) args.push(keyPrefix === '' ? key : keyPrefix + key)
  return args
}

/** `keyPrefix` is an option of node-redis 6; commands sent raw must bring it themselves. */
export function keyPrefixOf(client: object): string {
  const { _keyPrefix, options, _options } = client as {
    _keyPrefix?: unknown
    options?: { keyPrefix?: unknown }
    _options?: { keyPrefix?: unknown }
  }
  return String(_keyPrefix ?? options?.keyPrefix ?? _options?.keyPrefix ?? '')
}

/**
 * node-redis 5 learns of a failover only from a MOVED reply, and a master that is gone gives none: unless it is
 * told to look again, the slots of a dead master stay away until that very node returns.
 */
export function rediscoverer(cluster: NodeRedisClusterClient): () => void {
  const { _slots: slots } = cluster as { _slots?: { rediscover?(startWith: unknown): Promise<unknown> } }
  let notBefore = 0
  return () => {
    const now = performance.now()
    const alive = cluster.masters.find(({ client }) => (client as NodeRedisClient | undefined)?.isReady)
    if (!cluster.isOpen || !alive || now < notBefore) return
    notBefore = now + REDISCOVERY_PAUSE
    slots?.rediscover?.(alive.client).catch(() => undefined)
  }
}
