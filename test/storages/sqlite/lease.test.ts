import { expect, test } from 'vitest'
import { newPath, openRaw, openStorage, startChild } from './setting.ts'

test('of many processes that ask again and again, one holds a lease at a time', async () => {
  const path = newPath()
  const storage = openStorage({ path })
  const workers = ['a', 'b', 'c', 'd'].map((name) => startChild('contend', [path, name, '40']))
  const won = await Promise.all(workers.map(async (worker) => Number(await worker.line())))
  for (const worker of workers) expect(await worker.ended, worker.errors()).toBe(0)
  // Each win adds one under the lease, by a read and a write that only exclusion keeps apart.
  expect(await storage.get('count')).toBe(`${won.reduce((sum, each) => sum + each, 0)}`)
  expect(won.reduce((sum, each) => sum + each, 0)).toBe(160)
})

test('of many processes that add one key, one stores it', async () => {
  const path = newPath()
  const workers = ['a', 'b', 'c', 'd'].map((name) => startChild('contend', [path, name, '0']))
  const lines = await Promise.all(workers.map(async (worker) => [await worker.line(), await worker.line()]))
  const storage = openStorage({ path })
  const winners = lines.filter(([, added]) => added === 'true')
  expect(winners.length).toBe(1)
  expect(['a', 'b', 'c', 'd']).toContain(await storage.get('added'))
})

test('leases whose holders died leave the file, a few with each new one', async () => {
  const path = newPath()
  const storage = openStorage({ path })
  await storage.lease.acquire('one', 10_000)
  const raw = openRaw(path)
  for (let i = 0; i < 20; i++) raw.prepare('INSERT INTO lease VALUES (?, ?, 1)').run(`dead ${i}`, 'token')
  for (let i = 0; i < 5; i++) await storage.lease.acquire(`next ${i}`, 10_000)
  expect(raw.prepare('SELECT count(*) AS n FROM lease').get()).toEqual({ n: 6 })
})
