import { expect, test } from 'vitest'
import { countRows } from './audit.ts'
import { openStorage, scratchDirectory, startChild, until } from './scratch.ts'

test('of many processes that ask again and again, one holds a lease at a time; of those that add one key, one stores it', async () => {
  const directory = scratchDirectory()
  const names = ['a', 'b', 'c', 'd']
  const children = names.map((name) => startChild('contend', directory, name, '40'))
  expect(await Promise.all(children.map(({ ended }) => ended))).toEqual([0, 0, 0, 0])
  const storage = openStorage({ directory })
  // Each win adds one under the lease, by a read and a write that only exclusion keeps apart.
  expect(await storage.get('count')).toBe('160')
  const winner = names[children.findIndex(({ lines }) => lines[0] === 'true')]
  expect(children.filter(({ lines }) => lines[0] === 'true').length).toBe(1)
  expect(await storage.get('added')).toBe(winner)
})

test('a lease whose holder was killed or suspended is free once it has run out, and not before', async () => {
  const directory = scratchDirectory()
  const storage = openStorage({ directory })
  const check = async (signal: 'SIGKILL' | 'SIGSTOP') => {
    const from = Date.now()
    const child = startChild('hold-lease', directory, signal, '2000')
    await child.line('held')
    child.process.kill(signal)
    await until(async () => (await storage.lease.acquire(signal, 60_000)) !== null)
    expect(Date.now() - from).toBeGreaterThanOrEqual(2_000)
  }
  await Promise.all([check('SIGKILL'), check('SIGSTOP')])
})

test('leases that were given up or whose holders died leave the file', async () => {
  const directory = scratchDirectory()
  const storage = openStorage({ directory })
  for (let index = 0; index < 20; index++) await storage.lease.acquire(`dead ${index}`, 1)
  await until(() => Date.now() % 10 === 0)
  for (let index = 0; index < 6; index++) {
    const token = await storage.lease.acquire(`held ${index}`, 10_000)
    await storage.lease.renew?.(`held ${index}`, token!, 20_000)
    if (index === 0) await storage.lease.release('held 0', token!)
  }
  await storage.close()
  expect(await countRows(directory, 'leases')).toBe(5)
  expect(await countRows(directory, 'leaseExpiry')).toBe(5)
})

test('leases stay when entries leave for want of room', async () => {
  const storage = openStorage({ sizeLimit: 1024 ** 2 })
  await storage.set('oldest', 'v')
  const token = await storage.lease.acquire('lease', 60_000)
  for (let index = 0; index < 300; index++) await storage.set(`k${index}`, 'v'.repeat(10_000))
  expect(await storage.get('oldest')).toBeUndefined()
  expect(await storage.lease.acquire('lease', 60_000)).toBe(null)
  expect(await storage.lease.renew?.('lease', token!, 60_000)).toBe(true)
})
