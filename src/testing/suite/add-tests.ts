/** `add`: stores only where nothing is. May import the suite's own modules. */

import { equal, isMissing, sameList } from './assert.ts'
import type { SuiteTest } from './suite-context.ts'

const SHORT = 40
const LONG = 3_600_000

const range = (count: number) => Array.from({ length: count }, (_, index) => index)

export const addTests: readonly SuiteTest[] = [
  {
    name: 'add: stores what is not there, and leaves what is',
    needs: ['add'],
    run: async ({ storage }) => {
      equal(await storage.add('a', '1'), true, 'add to a free key')
      equal(await storage.get('a'), '1', 'get')
      equal(await storage.add('a', '2'), false, 'add to a key that has a value')
      equal(await storage.get('a'), '1', 'get after it')
      await storage.set('empty', '')
      equal(await storage.add('empty', '2'), false, 'add to a key that holds the empty string')
      equal(await storage.get('empty'), '', 'get of the empty string')
      await storage.delete('a')
      equal(await storage.add('a', '漢字 \0 🦊'), true, 'add after a delete')
      equal(await storage.get('a'), '漢字 \0 🦊', 'get after it')
    },
  },
  {
    name: 'add: of many who add at once, through any handle, one stores, and all see its value',
    needs: ['add'],
    run: async (context) => {
      const other = await context.other()
      const handles = range(20).map((index) => (index % 2 === 0 ? context.storage : other))
      const added = await Promise.all(handles.map(async (handle, index) => handle.add('a', `${index}`)))
      sameList(
        added.filter((isStored) => isStored),
        [true],
        'those who stored',
      )
      const winner = `${added.indexOf(true)}`
      for (const handle of [context.storage, other]) equal(await handle.get('a'), winner, 'get')
    },
  },
  {
    name: 'add: its ttl counts, and what has run out is not there',
    needs: ['add'],
    run: async (context) => {
      const { storage } = context
      equal(await storage.add('a', '1', SHORT), true, 'add for a short time')
      await context.eventually(() => context.isGone('a'))
      equal(await storage.add('a', '2', LONG), true, 'add after it ran out')
      equal(await storage.add('a', '3', LONG), false, 'add while it is there')
      await storage.set('b', '1', SHORT)
      await context.eventually(async () => storage.add('b', '2'))
      equal(await storage.get('b'), '2', 'get of what was added after a ttl ran out')
      await storage.add('c', '1', 0.3)
      await context.eventually(() => context.isGone('c'))
    },
  },
  {
    name: 'add: a refused one does not touch the ttl',
    needs: ['add'],
    run: async (context) => {
      const { storage } = context
      await storage.set('lasting', '1')
      equal(await storage.add('lasting', '2', SHORT), false, 'add for a short time')
      await storage.set('short', '1', SHORT)
      await storage.add('short', '2', LONG)
      await storage.set('clock', '1', SHORT)
      await context.eventually(() => context.isGone('clock'))
      equal(await storage.get('lasting'), '1', 'get of what has no ttl')
      // Where the first add came too late it has stored.
      const short = (await storage.get('short')) ?? null
      equal(short === null || short === '2', true, 'what had a short ttl has run out')
    },
  },
  {
    name: 'add: in step with sets and deletes that were begun before it',
    needs: ['add'],
    run: async ({ storage }) => {
      const results = [
        storage.set('a', '1'),
        storage.add('a', '2'),
        storage.delete('b'),
        storage.add('b', '3'),
      ]
      const [, overValue, , overDelete] = await Promise.all(results)
      equal(overValue, false, 'add behind a set')
      equal(overDelete, true, 'add behind a delete')
      equal(await storage.get('a'), '1', 'get')
      equal(await storage.get('b'), '3', 'get')
      await storage.delete('b')
      isMissing(await storage.get('b'), 'get after a delete')
    },
  },
]
