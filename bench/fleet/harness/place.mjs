/** A store of the question's own: a Redis server on a free port, or a folder for a file, gone with `close`. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startRedis } from '../../faults/redis-process.mjs'

export async function openPlace(kind, args = []) {
  if (kind === 'redis') {
    const server = await startRedis({ args })
    return { kind, options: { url: server.url }, server, close: () => server.stop() }
  }
  const folder = mkdtempSync(join(tmpdir(), 'stackquery-fleet-'))
  const options =
    kind === 'sqlite' ? { path: join(folder, 'fleet.db') } : { directory: join(folder, 'cache') }
  return { kind, options, close: async () => rmSync(folder, { recursive: true, force: true }) }
}

/** In a worker. */
export async function openStorage({ kind, options, sentinel }) {
  if (kind === 'redis') {
    const { RedisStorage } = await import('../../../dist/storages/redis/index.js')
    return new RedisStorage(
      sentinel === undefined ? options : { ...options, client: await sentinelClient(sentinel) },
    )
  }
  if (kind === 'sqlite') {
    const { SQLiteStorage } = await import('../../../dist/storages/sqlite/index.js')
    return new SQLiteStorage(options)
  }
  const { DiskCacheStorage } = await import('../../../dist/storages/disk/index.js')
  return new DiskCacheStorage(options)
}

async function sentinelClient({ library, name, sentinels }) {
  if (library === 'ioredis') {
    const { Redis } = await import('ioredis')
    const client = new Redis({ name, sentinels, socketTimeout: 2_000 })
    client.on('error', () => {})
    return client
  }
  const { createSentinel } = await import('redis')
  const client = createSentinel({ name, sentinelRootNodes: sentinels })
  client.on('error', () => {})
  await client.connect()
  return client
}
