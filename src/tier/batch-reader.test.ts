import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import type { Clock } from '../ports/clock.ts'
import type { StorageBackend } from '../ports/storage.ts'
import { TimerQueue } from '../resilience/timer-queue.ts'
import { VirtualClock } from '../testing/index.ts'
import { BackendCalls, type GuardedTask, type StorageOperation } from './backend-calls.ts'
import { type Asker, BatchReader } from './batch-reader.ts'
import type { StorageGuard } from './storage-guard.ts'

/** One that stands still; the clock on the wall shows a thousand more. */
function clockAt(moment: number): Clock {
  return { now: () => moment + 1_000, monotonic: () => moment, setTimeout: () => 0, clearTimeout: () => {} }
}

/** A guard that lets everything through, and turns a failure into an outcome. */
function readerOf(backend: Partial<StorageBackend>): BatchReader {
  const start = async <T>(_operation: StorageOperation, task: GuardedTask<T>): Promise<void> => {
    try {
      const value = await task.call()
      task.check?.(value)
      task.done({ isOk: true, value })
    } catch (error) {
      task.done({ isOk: false, reason: 'failure', error: error as never })
    }
  }
  return new BatchReader({ backend, start } as unknown as StorageGuard, clockAt(0))
}

function recording(answer: (key: string) => unknown, more: Partial<StorageBackend> = {}) {
  const batches: string[][] = []
  const getMany = async (keys: readonly string[]) => {
    batches.push([...keys])
    return keys.map(answer) as (string | null)[]
  }
  return { batches, reader: readerOf({ getMany, ...more }) }
}

/** Wants these, and is told so. */
const wanting = (own: string | null, keys: readonly string[], answered: Asker['answered']): Asker => ({
  askFor: (request) => request.add(own, keys),
  answered,
})

test('whoever asked is told when the answer came, and the present moment where it was refused', async () => {
  const told: number[][] = []
  const asker = wanting('a', [], (_own, _answers, at, now) => void told.push([at, now]))
  for (const at of [7, undefined]) {
    const start = <T>(_: StorageOperation, task: GuardedTask<T>) =>
      task.done({ isOk: true, value: ['v'] as T }, at)
    const guard = { backend: { getMany: async () => [] }, start } as unknown as StorageGuard
    new BatchReader(guard, clockAt(9)).ask(asker)
    await setImmediate()
  }
  expect(told).toEqual([
    [7, 1_009],
    [9, 1_009],
  ])
})

describe('reads of one tick', () => {
  test('are one batch in which each key comes once', async () => {
    const { batches, reader } = recording((key) => `of ${key}`)
    const [one, two] = await Promise.all([reader.load(['a', 'b']), reader.load(['b', 'c'])])
    expect(batches).toEqual([['a', 'b', 'c']])
    expect([one?.get('a'), one?.get('b'), two?.get('c')]).toEqual(['of a', 'of b', 'of c'])
    await reader.load(['a'])
    expect(batches).toHaveLength(2)
  })

  test('tell each who asks the value of its own key, or that there is none', async () => {
    const { batches, reader } = recording((key) => (key === 'none' ? null : `of ${key}`))
    const told: unknown[] = []
    const ask = (name: string, own: string | null, keys: readonly string[]) =>
      reader.ask(wanting(own, keys, (value, answers) => void told.push([name, value, answers.get('shared')])))
    ask('one', 'a', ['shared'])
    ask('two', 'none', ['shared', 'other'])
    ask('three', null, ['shared'])
    await reader.load(['shared'])
    expect(batches).toEqual([['a', 'none', 'shared', 'other']])
    expect(told).toEqual([
      ['one', 'of a', 'of shared'],
      ['two', null, 'of shared'],
      ['three', undefined, 'of shared'],
    ])
  })

  test('are for what is wanted when they are sent, each asked once', async () => {
    const { batches, reader } = recording(() => null)
    let wanted = 'too early'
    const asked: string[] = []
    for (const own of ['a', 'b'])
      reader.ask({
        askFor(request) {
          asked.push(own)
          request.add(own, [wanted])
        },
        answered: () => {},
      })
    expect(asked).toEqual([])
    wanted = 'now'
    await setImmediate()
    expect([asked, batches]).toEqual([['a', 'b'], [['a', 'b', 'now']]])
  })

  test('are split at 1,000 keys', async () => {
    const { batches, reader } = recording(() => null)
    const keys = Array.from({ length: 2_500 }, (_, n) => `k${n}`)
    const answers = await reader.load(keys)
    expect(batches.map((batch) => batch.length)).toEqual([1_000, 1_000, 500])
    expect(keys.filter((key) => answers.get(key) === null)).toHaveLength(2_500)
  })

  test('go one by one to a store without getMany', async () => {
    const asked: string[] = []
    const reader = readerOf({
      get: (key) => {
        asked.push(key)
        if (key === 'bad') throw new Error('no')
        return key === 'none' ? undefined : 'v'
      },
    })
    const answers = await reader.load(['a', 'bad', 'none', 'a'])
    expect(asked).toEqual(['a', 'bad', 'none'])
    expect(['a', 'bad', 'none', 'never'].map((key) => answers.get(key))).toEqual([
      'v',
      undefined,
      null,
      undefined,
    ])
    expect(['a', 'bad', 'none', 'never'].map((key) => answers.has(key))).toEqual([true, false, true, false])
  })
})

describe('an answer', () => {
  test('of nothing is null, whatever the store calls it', async () => {
    const { reader } = recording((key) => (key === 'a' ? null : undefined))
    const answers = await reader.load(['a', 'b'])
    expect([answers.get('a'), answers.get('b')]).toEqual([null, null])
  })

  test('that is no string is one that decodes as foreign', async () => {
    const { reader } = recording(() => 42)
    expect((await reader.load(['a'])).get('a')).toBe('')
  })

  test.each([
    ['too few values', () => []],
    ['too many values', () => ['a', 'b']],
    ['no array', () => ({ 0: 'a', length: 1 })],
    ['a rejection', () => Promise.reject(new Error('no'))],
  ])('of %s is none at all, which is not the same as nothing', async (_what, getMany) => {
    const reader = readerOf({ getMany: getMany as never })
    const answers = await reader.load(['a'])
    expect(answers.has('a')).toBe(false)
  })
})

test('a store that never answers does not hold those who have been told', async () => {
  setFlagsFromString('--expose-gc')
  const gc: () => void = runInNewContext('gc')
  const clock = new VirtualClock()
  const calls = new BackendCalls({ clock, timers: new TimerQueue(clock), timeout: 100 })
  const hanging: ((values: string[]) => void)[] = []
  const getMany = () => new Promise<string[]>((resolve) => hanging.push(resolve))
  const start = (operation: StorageOperation, task: GuardedTask<unknown>) =>
    calls.begin(operation, task, null)
  const reader = new BatchReader({ backend: { getMany }, start } as unknown as StorageGuard, clockAt(0))
  let told = 0
  const ask = () => {
    const asker = wanting('k', ['shared'], () => void told++)
    reader.ask(asker)
    return new WeakRef(asker)
  }
  const asker = ask()
  await clock.advance(100)
  expect([told, hanging.length, calls.underWay]).toEqual([1, 1, 1])
  await setImmediate()
  gc()
  expect(asker.deref()).toBeUndefined()
  hanging[0]?.(['late', 'late'])
  await clock.settle()
  expect([told, calls.underWay]).toEqual([1, 0])
})
