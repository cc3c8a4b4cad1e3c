/**
 * Leases: `SET NX PX` under a random token, given up and renewed by scripts that compare it.
 *
 * A lease lives in a key of its own, whose mark no key of the storage can have (see `text-codec.ts`), so a value of
 * the same name is another thing. After "Distributed Locks with Redis", the single-instance form
 * (https://redis.io/docs/latest/develop/clients/patterns/distributed-locks/): a failover may lose a lease that was
 * just taken, which costs a second fetch and no more. Owns nothing. May import ports and this folder.
 */

import type { LeaseProvider } from '../../ports/storage.ts'
import { toPx } from './redis-duration.ts'
import { encodeText } from './text-codec.ts'

/** Runs a command on the one key at `args[keyIndex]`. */
export type RunOnKey = (keyIndex: number, args: readonly string[]) => Promise<unknown>

export const LEASE_MARK = '\ufffelease'

const IF_HELD = "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end "
const RELEASE = `${IF_HELD}return redis.call('DEL', KEYS[1])`
const RENEW = `${IF_HELD}redis.call('PEXPIRE', KEYS[1], ARGV[2]) return 1`
const RENEW_FOR_GOOD = `${IF_HELD}redis.call('PERSIST', KEYS[1]) return 1`

export function redisLease(run: RunOnKey): LeaseProvider {
  // EVAL and not EVALSHA: they are shorter than the fallback would be, and the server keeps them compiled either way.
  const evaluate = (script: string, key: string, ...values: string[]) =>
    run(3, ['EVAL', script, '1', leaseName(key), ...values])
  return {
    async acquire(key, ttl) {
      const token = crypto.randomUUID()
      return (await run(1, setIfAbsent(leaseName(key), token, ttl))) === null ? null : token
    },
    async renew(key, token, ttl) {
      const px = toPx(ttl, 1)
      const renewed =
        px === undefined ? evaluate(RENEW_FOR_GOOD, key, token) : evaluate(RENEW, key, token, String(px))
      return (await renewed) === 1
    },
    async release(key, token) {
      await evaluate(RELEASE, key, token)
    },
  }
}

/** Answered by null where the key has a value. A `ttl` that has run out already is one of a millisecond. */
export function setIfAbsent(name: string, value: string, ttl: number | undefined): string[] {
  const px = toPx(ttl, 1)
  return px === undefined ? ['SET', name, value, 'NX'] : ['SET', name, value, 'PX', String(px), 'NX']
}

function leaseName(key: string): string {
  return encodeText(key) + LEASE_MARK
}
