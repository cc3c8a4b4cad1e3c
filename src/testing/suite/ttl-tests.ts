/**
 * Time to live. Real time is never measured: something with a long ttl must be there, something with a short
 * one must be gone in the end, and "still there" is asked when a later, equally short one has gone.
 * May import the suite's own modules.
 */

import { equal, isMissing, ok } from './assert.ts'
import type { SuiteContext, SuiteTest } from './suite-context.ts'

const SHORT = 40
const LONG = 3_600_000

/** Returns when anything set before with a ttl of `SHORT` must be gone. */
async function outlive(context: SuiteContext): Promise<void> {
  await context.storage.set('ttl:probe', 'x', SHORT)
  await context.eventually(() => context.isGone('ttl:probe'))
}

export const ttlTests: readonly SuiteTest[] = [
  {
    name: 'ttl: a value is there before it has run out and gone afterwards',
    run: async (context) => {
      await context.storage.set('short', '1', SHORT)
      await context.storage.set('long', '2', LONG)
      await context.storage.set('none', '3')
      await context.eventually(() => context.isGone('short'))
      equal(await context.storage.get('long'), '2', 'get of the long-lived')
      equal(await context.storage.get('none'), '3', 'get of the one without ttl')
    },
  },
  {
    name: 'ttl: virtual time is kept to the millisecond',
    needs: ['advance'],
    run: async ({ storage, subject }) => {
      await storage.set('a', '1', 100)
      await subject.advance?.(99)
      equal(await storage.get('a'), '1', 'get 1 ms before')
      await subject.advance?.(1)
      isMissing(await storage.get('a'), 'get when it has run out')
    },
  },
  {
    name: 'ttl: a fraction rounds up, never to none and never to 0',
    run: async (context) => {
      const { storage } = context
      for (const ttl of [0.000_1, 0.4, 1.5, SHORT + 0.001]) await storage.set(`fraction:${ttl}`, 'x', ttl)
      await storage.set('fraction:long', 'y', LONG + 1 / 3)
      equal(await storage.get('fraction:long'), 'y', 'get of the long-lived')
      for (const ttl of [0.000_1, 0.4, 1.5, SHORT + 0.001]) {
        await context.eventually(() => context.isGone(`fraction:${ttl}`))
      }
      await storage.set('fraction:after', 'z')
      await storage.set('fraction:after', 'z', 0.4)
      await context.eventually(() => context.isGone('fraction:after'))
    },
  },
  {
    name: 'ttl: zero or below has run out already, and does not leave what was there before',
    run: async (context) => {
      for (const ttl of [0, -0, -1, -LONG, Number.NEGATIVE_INFINITY]) {
        await context.storage.set(`zero:${ttl}`, 'old')
        await context.storage.set(`zero:${ttl}`, 'new', ttl)
        await context.eventually(() => context.isGone(`zero:${ttl}`))
      }
    },
  },
  {
    name: 'ttl: huge ones and Infinity neither fail nor overflow',
    run: async (context) => {
      const huge = [
        2 ** 31 - 1,
        2 ** 31,
        2 ** 32 + 5,
        1e12,
        1e15,
        Number.MAX_SAFE_INTEGER,
        Number.MAX_VALUE,
        Infinity,
      ]
      for (const ttl of huge) await context.storage.set(`huge:${ttl}`, String(ttl), ttl)
      await outlive(context)
      for (const ttl of huge)
        equal(await context.storage.get(`huge:${ttl}`), String(ttl), `get under ttl ${ttl}`)
    },
  },
  {
    name: 'ttl: an overwrite without one takes the old one away',
    run: async (context) => {
      await context.storage.set('a', '1', SHORT)
      await context.storage.set('a', '2')
      await context.storage.set('b', '1', SHORT)
      await context.storage.set('b', '2', LONG)
      await outlive(context)
      equal(await context.storage.get('a'), '2', 'get under no ttl')
      equal(await context.storage.get('b'), '2', 'get under a longer ttl')
    },
  },
  {
    name: 'ttl: an overwrite with a shorter one counts',
    run: async (context) => {
      await context.storage.set('a', '1')
      await context.storage.set('a', '2', SHORT)
      await context.storage.set('b', '1', LONG)
      await context.storage.set('b', '2', SHORT)
      await context.eventually(() => context.isGone('a'))
      await context.eventually(() => context.isGone('b'))
    },
  },
  {
    name: 'ttl: one that has run out can be set again',
    run: async (context) => {
      await context.storage.set('a', '1', SHORT)
      await context.eventually(() => context.isGone('a'))
      await context.storage.set('a', '2')
      equal(await context.storage.get('a'), '2', 'get')
    },
  },
  {
    name: 'ttl: each entry of setMany has its own',
    needs: ['setMany'],
    run: async (context) => {
      await context.storage.set('kept', 'old', SHORT)
      await context.storage.setMany([
        { key: 'short', value: '1', ttl: SHORT },
        { key: 'fraction', value: '1', ttl: 0.3 },
        { key: 'zero', value: '1', ttl: 0 },
        { key: 'long', value: '2', ttl: LONG },
        { key: 'infinite', value: '3', ttl: Infinity },
        { key: 'kept', value: '4' },
        { key: 'undefined', value: '5', ttl: undefined },
      ])
      for (const key of ['short', 'fraction', 'zero']) await context.eventually(() => context.isGone(key))
      await outlive(context)
      for (const [key, value] of [
        ['long', '2'],
        ['infinite', '3'],
        ['kept', '4'],
        ['undefined', '5'],
      ] as const) {
        equal(await context.storage.get(key), value, `get of ${key}`)
      }
    },
  },
  {
    name: 'ttl: getMany does not answer what has run out',
    needs: ['getMany'],
    run: async (context) => {
      await context.storage.set('short', '1', SHORT)
      await context.storage.set('long', '2', LONG)
      await context.eventually(async () => ((await context.storage.getMany(['short']))[0] ?? null) === null)
      equal((await context.storage.getMany(['short', 'long']))[1], '2', 'the long-lived')
    },
  },
  {
    name: 'ttl: keys does not list what has run out',
    needs: ['keys'],
    run: async (context) => {
      await context.storage.set('ttl:short', '1', SHORT)
      await context.storage.set('ttl:long', '2', LONG)
      const listed = async () => {
        const keys: string[] = []
        for await (const key of context.storage.keys('ttl:')) keys.push(key)
        return keys
      }
      await context.eventually(async () => !(await listed()).includes('ttl:short'))
      ok((await listed()).includes('ttl:long'), 'keys: the long-lived key is missing')
    },
  },
]
