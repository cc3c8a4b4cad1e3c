/** Every way in which a RedisStorage reaches one server, each as a factory of a storage and of what ends it. */
import { Redis as Redis5 } from 'ioredis'
import { Redis as Redis6 } from 'ioredis6'
import { createClient as createClient5 } from 'redis'
import { createClient as createClient6 } from 'redis6'
import {
  type RedisClient,
  RedisStorage,
  type RedisStorageOptions,
} from '../../../src/storages/redis/index.ts'

export interface Opened {
  readonly storage: RedisStorage
  close(): Promise<void>
}

export const clients: Readonly<
  Record<string, (url: string, options?: RedisStorageOptions) => Promise<Opened>>
> = {
  'its own client': async (url, options) => {
    const storage = new RedisStorage({ url, ...options })
    return { storage, close: () => storage.close() }
  },
  'node-redis 5': async (url, options) => {
    const client = createClient5({ url })
    return given(client, await client.connect(), () => client.destroy(), options)
  },
  'node-redis 6': async (url, options) => {
    const client = createClient6({ url })
    return given(client, await client.connect(), () => client.destroy(), options)
  },
  'ioredis 5': async (url, options) => {
    const client = new Redis5(url)
    return given(client, undefined, () => client.disconnect(), options)
  },
  'ioredis 6': async (url, options) => {
    const client = new Redis6(url)
    return given(client, undefined, () => client.disconnect(), options)
  },
}

function given(
  client: RedisClient,
  _connected: unknown,
  end: () => void,
  options?: RedisStorageOptions,
): Opened {
  const storage = new RedisStorage({ client, ...options })
  return {
    storage,
    async close() {
      await storage.close()
      end()
    },
  }
}
