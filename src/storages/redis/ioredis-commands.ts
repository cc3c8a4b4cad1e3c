/**
 * The commands over ioredis (5 and 6): one server, Sentinel (the same class), Cluster.
 *
 * ioredis puts its `keyPrefix` before keys by itself, but not in SCAN. May import nothing but this folder.
 */

import type { RedisCommands, RedisWrite, ScanPage } from './redis-commands.ts'

interface IORedisBase {
  readonly status: string
  get(key: string): Promise<string | null>
  set(key: string, value: string): Promise<unknown>
  set(key: string, value: string, px: 'PX', milliseconds: number): Promise<unknown>
  del(...keys: string[]): Promise<unknown>
  call(command: string, ...args: string[]): Promise<unknown>
  connect(): Promise<unknown>
  on(event: string, listener: () => void): unknown
  off(event: string, listener: () => void): unknown
}

interface IORedisScanner {
  scan(
    cursor: string,
    match: 'MATCH',
    pattern: string,
    countToken: 'COUNT',
    count: number,
  ): Promise<[cursor: string, keys: string[]]>
}

interface IORedisPipeline {
  set(key: string, value: string): unknown
  set(key: string, value: string, px: 'PX', milliseconds: number): unknown
  exec(): Promise<[error: Error | null, result: unknown][] | null>
}

/** An ioredis client: `new Redis()`, with Sentinel or without. */
export interface IORedisClient extends IORedisBase, IORedisScanner {
  mget(...keys: string[]): Promise<(string | null)[]>
  pipeline(): IORedisPipeline
}

/** An ioredis cluster: `new Cluster()`. */
export interface IORedisClusterClient extends IORedisBase {
  readonly isCluster: boolean
  nodes(role: 'master'): IORedisScanner[]
}

export function ioredisCommands(client: IORedisClient): RedisCommands {
  return {
    keyPrefix: keyPrefixOf(client),
    get: (key) => client.get(key),
    getMany: (keys) => client.mget(...keys),
    set: (write) => set(client, write),
    setMany: async (writes) => {
      // Without a pipeline each command is a system call of its own.
      const pipeline = client.pipeline()
      for (const write of writes) set(pipeline, write)
      for (const [error] of (await pipeline.exec()) ?? []) if (error) throw error
    },
    delete: (keys) => client.del(...keys),
    call: (_, args) => call(client, args),
    scanners: async () => [scanner(client)],
  }
}

export function ioredisClusterCommands(cluster: IORedisClusterClient): RedisCommands {
  return {
    keyPrefix: keyPrefixOf(cluster),
    get: (key) => cluster.get(key),
    set: (write) => set(cluster, write),
    // No command may name keys of two slots, nor may a pipeline of this class: single commands in one tick.
    getMany: (keys) => Promise.all(keys.map((key) => cluster.get(key))),
    setMany: (writes) => Promise.all(writes.map((write) => set(cluster, write))),
    delete: (keys) => Promise.all(keys.map((key) => cluster.del(key))),
    call: (_, args) => call(cluster, args),
    scanners: async () => cluster.nodes('master').map(scanner),
  }
}

function set<T>(
  client: { set(key: string, value: string): T; set(key: string, value: string, px: 'PX', ms: number): T },
  { key, value, px }: RedisWrite,
): T {
  return px === undefined ? client.set(key, value) : client.set(key, value, 'PX', px)
}

/** ioredis finds the keys among the arguments by itself. */
function call(client: IORedisBase, [command = '', ...args]: readonly string[]): Promise<unknown> {
  return client.call(command, ...args)
}

function scanner(node: IORedisScanner): ScanPage {
  return (cursor, match, count) => node.scan(cursor, 'MATCH', match, 'COUNT', count)
}

export function keyPrefixOf(client: object): string {
  const { options } = client as { options?: { keyPrefix?: unknown } }
  return String(options?.keyPrefix ?? '')
}
