/** Closing and failing: an operation that cannot be done is rejected; it never hangs. May import the suite's own modules. */

import { equal, fails, sameList } from './assert.ts'
import type { SuiteContext, SuiteTest } from './suite-context.ts'

type Operation = readonly [name: string, run: () => unknown]

/** Every operation that the storage has, on keys of its own. */
function operationsOf({ storage }: Pick<SuiteContext, 'storage'>): Operation[] {
  const { feed, lease } = storage as Partial<typeof storage>
  const operations: Operation[] = [
    ['get', () => storage.get('a')],
    ['set', () => storage.set('a', '1')],
    ['set with a ttl', () => storage.set('a', '1', 1_000)],
    ['delete', () => storage.delete('a')],
  ]
  if (storage.getMany) operations.push(['getMany', () => storage.getMany(['a', 'b'])])
  if (storage.setMany) operations.push(['setMany', () => storage.setMany([{ key: 'a', value: '1' }])])
  if (storage.deleteMany) operations.push(['deleteMany', () => storage.deleteMany(['a', 'b'])])
  if (storage.add) operations.push(['add', () => storage.add('a', '1')])
  if (storage.keys) operations.push(['keys', () => storage.keys('a')[Symbol.asyncIterator]().next()])
  if (feed) operations.push(['feed.append', () => feed.append(['a'])])
  if (lease) operations.push(['lease.acquire', () => lease.acquire('a', 1_000)])
  if (lease?.renew) operations.push(['lease.renew', () => lease.renew('a', 'token', 1_000)])
  return operations
}

export const closingTests: readonly SuiteTest[] = [
  {
    name: 'close: may be called again, also at the same time',
    needs: ['close'],
    run: async ({ storage }) => {
      await storage.set('a', '1')
      await Promise.all([storage.close(), storage.close()])
      await storage.close()
    },
  },
  {
    name: 'close: of a storage that was never used',
    needs: ['close'],
    run: async ({ storage }) => {
      await storage.close()
    },
  },
  {
    name: 'close: every operation afterwards is rejected and does not hang',
    needs: ['close'],
    run: async (context) => {
      const operations = operationsOf(context)
      await context.storage.set('a', '1')
      await context.storage.close()
      for (const [name, run] of operations) await fails(run, `${name} after close`)
      const { feed } = context.storage as { feed?: typeof context.storage.feed }
      if (feed)
        await fails(
          () =>
            feed.follow(
              () => {},
              () => {},
            ),
          'feed.follow after close',
        )
    },
  },
  {
    name: 'close: what was begun before it ends, one way or the other',
    needs: ['close'],
    run: async ({ storage }) => {
      const begun = Array.from({ length: 20 }, async (_, index) => {
        await storage.set(`a:${index}`, '1')
        return storage.get(`a:${index}`)
      })
      const ended = Promise.allSettled(begun)
      await storage.close()
      await ended
    },
  },
  {
    name: 'close: stops its followers, and leaves other handles open',
    needs: ['close', 'feed', 'reopen'],
    run: async (context) => {
      const heard: string[] = []
      const heardByOther: string[] = []
      const other = await context.reopen()
      await context.storage.feed.follow(
        (messages) => heard.push(...messages),
        () => heard.push('gap'),
      )
      const stop = await other.feed.follow(
        (messages) => heardByOther.push(...messages),
        () => {},
      )
      await context.storage.close()
      await other.feed.append(['1'])
      await context.eventually(() => heardByOther.includes('1'))
      sameList(heard, [], 'messages after close')
      stop()
    },
  },
  {
    name: 'close: what was written is there for whoever opens it next',
    needs: ['close', 'reopen'],
    run: async (context) => {
      await context.storage.set('a', '1')
      await context.storage.set('b', '2', 3_600_000)
      const next = await context.reopen()
      await context.storage.close()
      equal(await next.get('a'), '1', 'get')
      equal(await next.get('b'), '2', 'get of one with a ttl')
      await next.set('a', '3')
      equal(await next.get('a'), '3', 'get after a write')
    },
  },
]

export const faultTests: readonly SuiteTest[] = [
  {
    name: 'fault: while the store is away every operation is rejected and does not hang',
    needs: ['fail'],
    run: async (context) => {
      await context.storage.set('a', '1')
      await context.subject.fail?.()
      for (const [name, run] of operationsOf(context)) await fails(run, `${name} while the store is away`)
    },
  },
  {
    name: 'fault: closing does not hang while the store is away',
    needs: ['fail', 'close'],
    run: async ({ storage, subject }) => {
      await storage.set('a', '1')
      await subject.fail?.()
      await Promise.resolve(storage.close()).catch(() => {})
    },
  },
  {
    name: 'fault: it works again once the store is back',
    needs: ['fail', 'recover'],
    run: async (context) => {
      const { storage, subject } = context
      await storage.set('a', '1')
      await subject.fail?.()
      await fails(() => storage.get('a'), 'get while the store is away')
      await subject.recover?.()
      await context.eventually(async () => {
        try {
          await storage.set('b', '2')
          return (await storage.get('b')) === '2'
        } catch {
          return false
        }
      })
      for (const [name, run] of operationsOf(context)) {
        try {
          await run()
        } catch (error) {
          throw new Error(`${name} fails though the store is back`, { cause: error })
        }
      }
    },
  },
]
