/** The Redis server that the whole test run shares. Its data is shared too: use a namespace of your own. */
import { inject } from 'vitest'

declare module 'vitest' {
  export interface ProvidedContext {
    redis: { readonly url: string } | { readonly reason: string }
  }
}

/** The URL of the run's Redis server; throws, saying what to do, where none could be had. */
export function redisUrl(): string {
  const redis = inject('redis')
  if ('reason' in redis) throw new Error(redis.reason)
  return redis.url
}
