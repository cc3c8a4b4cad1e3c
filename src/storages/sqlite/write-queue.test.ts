import { expect, test } from 'vitest'
import type { WriteBatch } from './committer.ts'
import type { CommitReport } from './write-engine.ts'
import { WriteQueue } from './write-queue.ts'

const put = (key: string, value: string | null = 'v') => ({ kind: 'put' as const, key, value, expires: null })

function start(maxEntries = 100) {
  const commits: {
    batch: WriteBatch
    settle(failures?: [number, Error][]): void
    fail(error: Error): void
  }[] = []
  const queue = new WriteQueue(
    (batch) =>
      new Promise<CommitReport>((resolve, fail) => {
        const settle = (failures: [number, Error][] = []) =>
          resolve({ identity: undefined, notices: [], failures: new Map(failures), refused: [] })
        commits.push({ batch, settle, fail })
      }),
    () => maxEntries,
  )
  return { queue, commits }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

test('gathers what comes while two batches are under way', async () => {
  const { queue, commits } = start()
  for (let i = 0; i < 10; i++) {
    void queue.push([put(`k${i}`)])
    await turn()
  }
  expect(commits.map(({ batch }) => batch.keys)).toEqual([['k0'], ['k1']])
  commits[0]!.settle()
  await turn()
  expect(commits[2]!.batch.keys).toEqual(['k2', 'k3', 'k4', 'k5', 'k6', 'k7', 'k8', 'k9'])
})

test('bounds a batch by entries and by characters', async () => {
  const { queue, commits } = start(3)
  void queue.push([put('a'), put('b'), put('c'), put('d', 'x'.repeat(2_000_000)), put('e')])
  await turn()
  expect(commits.map(({ batch }) => batch.keys)).toEqual([['a', 'b', 'c'], ['d']])
})

test('one failed entry rejects its own caller only', async () => {
  const { queue, commits } = start()
  const good = queue.push([put('good')])
  const bad = queue.push([put('bad 1'), put('bad 2')])
  const alsoGood = queue.push([put('also good')])
  await turn()
  commits[0]!.settle([[2, new Error('no room')]])
  await good
  await expect(bad).rejects.toThrow('no room')
  await alsoGood
})

test('a failed commit rejects all callers of the batch, and the next batch goes on', async () => {
  const { queue, commits } = start()
  const lost = queue.push([put('lost')])
  await turn()
  commits[0]!.fail(new Error('thread ended'))
  await expect(lost).rejects.toThrow('thread ended')
  expect(queue.peek('lost')).toBe(undefined)
  const next = queue.push([put('next')])
  await turn()
  commits[1]!.settle()
  await next
})

test('shows the newest write of a key until that one is settled', async () => {
  const { queue, commits } = start()
  void queue.push([put('key', 'one')])
  await turn()
  void queue.push([put('key', null)])
  await turn()
  expect(queue.peek('key')).toMatchObject({ value: null })
  commits[0]!.settle()
  await turn()
  expect(queue.peek('key')).toMatchObject({ value: null })
  commits[1]!.settle()
  await turn()
  expect(queue.peek('key')).toBe(undefined)
})
