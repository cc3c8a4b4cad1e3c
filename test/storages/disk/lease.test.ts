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
  for (const signal of ['SIGKILL', 'SIGSTOP'] as const) {
    const from = Date.now()
    const child = startChild('hold-lease', directory, '3000')
    await child.line('held')
    child.process.kill(signal)
    let token: string | null = null
    await until(async () => {
      token = await storage.lease.acquire('lease', 60_000)
      return token !== null
    })
    expect(Date.now() - from).toBeGreaterThanOrEqual(3_000)
    await storage.lease.release('lease', token!)
  }
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
