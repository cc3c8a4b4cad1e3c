/** Leases: one holder at a time, for a time. May import the suite's own modules. */

import { equal, isMissing, ok, sameSet } from './assert.ts'
import type { SuiteTest } from './suite-context.ts'

const SHORT = 40
/** Long enough for a step to follow in time, on a busy machine too. */
const SOON = 400
const LONG = 3_600_000

const range = (count: number) => Array.from({ length: count }, (_, index) => index)

export const leaseTests: readonly SuiteTest[] = [
  {
    name: 'lease: of many who ask at once, through any handle, one gets it',
    needs: ['lease'],
    run: async (context) => {
      const other = await context.other()
      const tokens = await Promise.all(
        range(20).map(async (index) => (index % 2 === 0 ? context.storage : other).lease.acquire('a', LONG)),
      )
      const held = tokens.filter((token) => token !== null)
      equal(held.length, 1, 'tokens given')
      ok(typeof held[0] === 'string' && held[0] !== '', 'a token is a string')
      equal(await other.lease.acquire('a', LONG), null, 'acquire while it is held')
      ok((await context.storage.lease.acquire('b', LONG)) !== null, 'another key must be free')
    },
  },
  {
    name: 'lease: its holder gives it up, twice if it likes',
    needs: ['lease'],
    run: async ({ storage }) => {
      const token = await storage.lease.acquire('a', LONG)
      await storage.lease.release('a', token ?? '')
      await storage.lease.release('a', token ?? '')
      const next = await storage.lease.acquire('a', LONG)
      ok(next !== null && next !== token, 'a new lease has a token of its own')
    },
  },
  {
    name: 'lease: a wrong token gives nothing up',
    needs: ['lease'],
    run: async ({ storage }) => {
      const token = await storage.lease.acquire('a', LONG)
      await storage.lease.release('a', 'wrong')
      await storage.lease.release('a', '')
      await storage.lease.release('b', token ?? '')
      await storage.lease.release('never:held', 'wrong')
      equal(await storage.lease.acquire('a', LONG), null, 'acquire after wrong releases')
    },
  },
  {
    name: 'lease: runs out, and its old token is then a wrong one',
    needs: ['lease'],
    run: async (context) => {
      const { lease } = context.storage
      const old = await lease.acquire('a', SHORT)
      ok(old !== null, 'acquire of what is free')
      let next: string | null = null
      await context.eventually(async () => {
        next = await lease.acquire('a', LONG)
        return next !== null
      })
      ok(next !== old, 'a new lease has a token of its own')
      await lease.release('a', old)
      equal(await lease.acquire('a', LONG), null, 'acquire after a release by the old token')
    },
  },
  {
    name: 'lease: renewed, it lasts from then on; by a wrong token, or once it is gone, it is not',
    needs: ['lease', 'renew'],
    run: async (context) => {
      const { lease } = context.storage
      const token = (await lease.acquire('a', LONG)) ?? ''
      equal(await lease.renew('a', 'wrong', LONG), false, 'renew by a wrong token')
      equal(await lease.renew('b', token, LONG), false, 'renew of a key that nobody holds')
      equal(await lease.renew('a', token, SHORT), true, 'renew by the holder')
      let next: string | null = null
      await context.eventually(async () => {
        next = await lease.acquire('a', LONG)
        return next !== null
      })
      equal(
        await lease.renew('a', token, LONG),
        false,
        'renew of a lease that ran out and is held by another',
      )
      equal(await lease.renew('a', next ?? '', LONG), true, 'renew by the new holder')
      equal(await lease.acquire('a', LONG), null, 'acquire of a lease that was renewed')
      await lease.release('a', next ?? '')
      equal(await lease.renew('a', next ?? '', LONG), false, 'renew of what was released')
      ok((await lease.acquire('a', LONG)) !== null, 'acquire after the release')
    },
  },
  {
    name: 'lease: renewed in time it does not run out',
    needs: ['lease', 'renew'],
    run: async (context) => {
      const other = await context.other()
      const { lease } = context.storage
      const token = (await lease.acquire('a', SOON)) ?? ''
      await lease.acquire('of the same time', SOON)
      equal(await lease.renew('a', token, LONG), true, 'renew')
      await context.eventually(async () => (await lease.acquire('of the same time', LONG)) !== null)
      equal(await other.lease.acquire('a', LONG), null, 'acquire through another handle')
    },
  },
  {
    name: 'lease: fractional and huge times neither fail nor overflow',
    needs: ['lease'],
    run: async (context) => {
      const { lease } = context.storage
      for (const ttl of [LONG + 0.5, 2 ** 31, 2 ** 32 + 5, 1e15, Number.MAX_VALUE]) {
        ok((await lease.acquire(`huge:${ttl}`, ttl)) !== null, `acquire for ${ttl}`)
        equal(await lease.acquire(`huge:${ttl}`, ttl), null, `acquire of what is held for ${ttl}`)
      }
      ok((await lease.acquire('fraction', 0.3)) !== null, 'acquire for 0.3')
      await context.eventually(async () => (await lease.acquire('fraction', LONG)) !== null)
    },
  },
  {
    name: 'lease: has nothing to do with the value of its key',
    needs: ['lease'],
    run: async ({ storage }) => {
      const token = await storage.lease.acquire('same', LONG)
      isMissing(await storage.get('same'), 'get of a key that is only leased')
      await storage.set('same', '1')
      await storage.delete('same')
      equal(await storage.lease.acquire('same', LONG), null, 'acquire after a delete of the value')
      await storage.set('same', '2')
      await storage.lease.release('same', token ?? '')
      equal(await storage.get('same'), '2', 'get after the release')
    },
  },
  {
    name: 'lease: is not listed among the keys',
    needs: ['lease', 'keys'],
    run: async ({ storage }) => {
      await storage.set('list:value', '1')
      await storage.lease.acquire('list:lease', LONG)
      const listed: string[] = []
      for await (const key of storage.keys('list:')) listed.push(key)
      sameSet(listed, ['list:value'], 'keys')
    },
  },
  {
    name: 'lease: unsafe keys do not collide',
    needs: ['lease'],
    run: async ({ storage }) => {
      for (const key of [
        'a',
        'A',
        'a:b',
        'a/b',
        '__proto__',
        '*',
        '漢字',
        'k'.repeat(512),
        `${'k'.repeat(511)}l`,
      ]) {
        ok((await storage.lease.acquire(key, LONG)) !== null, `acquire of ${key}`)
      }
    },
  },
]
