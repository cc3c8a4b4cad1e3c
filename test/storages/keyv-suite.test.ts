/** Keyv's own suite (https://www.npmjs.com/package/@keyv/test-suite) on our bridge, and ours on Keyv's stores. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import KeyvRedis from '@keyv/redis'
import keyvTestSuite, { keyvIteratorTests } from '@keyv/test-suite'
import { Keyv } from 'keyv'
import * as vitest from 'vitest'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import type { StorageBackend } from '../../src/ports/storage.ts'
import { fromKeyv, toKeyvStore } from '../../src/storages/interop/index.ts'
import { MemoryStorage } from '../../src/storages/memory/index.ts'
import { storageSuite } from '../../src/testing/index.ts'

describe("Keyv's own suite, Keyv 5 over MemoryStorage", () => {
  const memory = new MemoryStorage()
  keyvTestSuite(vitest, Keyv, () => toKeyvStore(memory))
})

describe("Keyv's own suite, Keyv 5 over MemoryStorage: iterators", () => {
  const memory = new MemoryStorage()
  keyvIteratorTests(vitest, Keyv, () => toKeyvStore(memory))
})

describe("Keyv's own suite, Keyv 5 over a storage without batches", () => {
  const memory = new MemoryStorage()
  const plain: StorageBackend = {
    get: (key) => memory.get(key),
    set: (key, value, ttl) => memory.set(key, value, ttl),
    delete: (key) => memory.delete(key),
    keys: (prefix) => memory.keys(prefix),
  }
  keyvTestSuite(vitest, Keyv, () => toKeyvStore(plain))
})

describe('toKeyvStore', () => {
  it('touches nothing else in the backend when the Keyv is cleared', async () => {
    const memory = new MemoryStorage()
    await memory.set('sq:e:mine', '1')
    const keyv = new Keyv({ store: toKeyvStore(memory), namespace: undefined as unknown as string })
    await keyv.set('a', '1')
    await keyv.clear()
    expect([await keyv.get('a'), await memory.get('sq:e:mine'), memory.size]).toEqual([undefined, '1', 1])
  })

  it('turns failures into the error event of the Keyv, and closes the backend on disconnect', async () => {
    const memory = new MemoryStorage()
    const keyv = new Keyv({ store: toKeyvStore(memory) })
    const errors: unknown[] = []
    keyv.on('error', (error: unknown) => errors.push(error))
    await keyv.disconnect()
    expect(await keyv.set('a', 1)).toBe(false)
    expect(errors).toMatchObject([{ code: 'STORAGE_UNAVAILABLE' }])
  })

  it('says what is missing where it cannot clear or is given no text', async () => {
    const bare: StorageBackend = { get: () => null, set: () => {}, delete: () => {} }
    await expect(toKeyvStore(bare).clear()).rejects.toThrow('expected a storage with keys()')
    await expect(toKeyvStore(bare).set('a', {} as string)).rejects.toThrow("leave Keyv's serialization on")
  })

  it('serves a Keyv that serves as a storage', async () => {
    const storage = fromKeyv(new Keyv({ store: toKeyvStore(new MemoryStorage()) }))
    await storage.setMany?.([
      { key: 'a', value: '1', ttl: 60_000 },
      { key: 'b', value: '2' },
    ])
    expect(await storage.getMany?.(['b', 'none', 'a'])).toEqual(['2', null, '1'])
  })
})

describe('fromKeyv over a real Redis', () => {
  let directory: string
  let port: number
  let server: ReturnType<typeof spawn>

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'keyv-redis-'))
    port = await freePort()
    const options = ['--port', String(port), '--dir', directory, '--save', '', '--bind', '127.0.0.1']
    server = spawn('redis-server', options, { stdio: ['ignore', 'pipe', 'inherit'] })
    for await (const chunk of server.stdout ?? []) {
      if (String(chunk).includes('Ready to accept connections')) break
    }
  })

  afterAll(async () => {
    const exited = once(server, 'exit')
    server.kill()
    await exited
    await rm(directory, { recursive: true })
  })

  let database = 0
  const fresh = () => {
    database += 1
    return `t${database}`
  }

  describe('a Keyv 5', () => {
    storageSuite({
      test,
      capabilities: ['getMany', 'setMany', 'deleteMany', 'close'],
      create: () => {
        const keyv = new Keyv(new KeyvRedis(`redis://127.0.0.1:${port}`), { namespace: fresh() })
        return { storage: fromKeyv(keyv), cleanup: () => keyv.disconnect() }
      },
    })
  })

  describe('a bare adapter', () => {
    storageSuite({
      test,
      capabilities: ['getMany', 'setMany', 'deleteMany', 'close'],
      create: () => {
        const adapter = new KeyvRedis(`redis://127.0.0.1:${port}`, { namespace: fresh() })
        return { storage: fromKeyv(adapter), cleanup: () => adapter.disconnect() }
      },
    })
  })
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
