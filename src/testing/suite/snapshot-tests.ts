/** Reads by the calling thread. May import the suite's own modules. */

import { equal, isMissing, ok } from './assert.ts'
import type { FullStorage, SuiteContext, SuiteTest } from './suite-context.ts'

/** `read` in a snapshot of a later turn: what was resolved before must be there. */
async function inSnapshot<T>(
  context: SuiteContext,
  storage: FullStorage,
  read: (get: FullStorage['snapshot']['get'], number: number) => T,
): Promise<T> {
  await new Promise((resolve) => setTimeout(resolve, 0))
  await context.eventually(() => storage.snapshot.hold() !== undefined)
  const number = storage.snapshot.hold()
  ok(number !== undefined, 'hold: expected a number right after one')
  return read((key) => storage.snapshot.get(key), number)
}

export const snapshotTests: readonly SuiteTest[] = [
  {
    name: 'snapshot: has what get has',
    needs: ['snapshot'],
    run: async (context) => {
      const { storage } = context
      const values = ['1', '', '"\u00e9"\n\u{1f642}', 'x'.repeat(100_000)]
      for (const [i, value] of values.entries()) await storage.set(`a:${i}`, value)
      await storage.set('gone', '1')
      await storage.delete('gone')
      await storage.set('short', '1', 20)
      await context.eventually(() => context.isGone('short'))
      await inSnapshot(context, storage, (get) => {
        for (const [i, value] of values.entries()) equal(get(`a:${i}`), value, `value ${i}`)
        for (const key of ['gone', 'short', 'never', '__proto__']) isMissing(get(key), key)
      })
    },
  },
  {
    name: 'snapshot: has what was written since the last, here or elsewhere, and another number',
    needs: ['snapshot'],
    run: async (context) => {
      const { storage } = context
      const other = await context.other()
      await storage.set('a', 'old')
      let before = await inSnapshot(context, storage, (get, number) => {
        equal(get('a'), 'old', 'the first value')
        return number
      })
      for (const [i, writer] of [other, storage, other].entries()) {
        await writer.set('a', `new ${i}`)
        before = await inSnapshot(context, storage, (get, number) => {
          equal(get('a'), `new ${i}`, 'the value that was written since')
          ok(number !== before, 'expected another number than that of the snapshot before the write')
          return number
        })
      }
      await other.delete('a')
      await inSnapshot(context, storage, (get) => isMissing(get('a'), 'what was deleted since'))
    },
  },
  {
    name: 'snapshot: a write resolves in a later turn than one that lacks it is held in',
    needs: ['snapshot'],
    run: async (context) => {
      const { storage } = context
      const other = await context.other()
      await inSnapshot(context, storage, () => {})
      // Reads that follow each other, job after job, while the write is under way.
      for (let round = 0; round < 20; round++) {
        let isWritten = false
        const writing = Promise.resolve(other.set('a', String(round))).then(() => {
          isWritten = true
        })
        while (!isWritten) {
          for (let i = 0; i < 50 && !isWritten; i++) {
            if (storage.snapshot.hold() !== undefined) storage.snapshot.get('a')
            await undefined
          }
          if (!isWritten) await new Promise((resolve) => setTimeout(resolve, 0))
        }
        if (storage.snapshot.hold() !== undefined)
          equal(storage.snapshot.get('a'), String(round), 'what was just resolved')
        await writing
      }
    },
  },
  {
    name: 'snapshot: there is none after close',
    needs: ['snapshot', 'close'],
    run: async (context) => {
      await inSnapshot(context, context.storage, () => {})
      await context.storage.close()
      equal(context.storage.snapshot.hold(), undefined, 'hold after close')
    },
  },
]
