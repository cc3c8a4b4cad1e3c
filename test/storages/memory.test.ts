import { describe, expect, it } from 'vitest'
import { InvalidOptionError } from '../../src/errors.ts'
import { MemoryStorage } from '../../src/storages/memory/index.ts'
import { VirtualClock } from '../../src/testing/index.ts'

async function followed(storage: MemoryStorage) {
  const heard: string[] = []
  const stop = await storage.feed.follow(
    (messages) => heard.push(...messages),
    (reason) => heard.push(`gap: ${reason}`),
  )
  return { heard, stop }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

describe('MemoryStorage', () => {
  it('tells a follower of a gap when the log was trimmed past it, then goes on with what is left', async () => {
    const storage = new MemoryStorage({ feedLength: 3 })
    const { heard } = await followed(storage)
    await storage.feed.append(['1', '2', '3', '4', '5'])
    await turn()
    expect(heard).toEqual(['gap: 2 messages were trimmed unread', '3', '4', '5'])
  })

  it('delivers without a gap for ever while no follower lags', async () => {
    const storage = new MemoryStorage({ feedLength: 3 })
    const { heard } = await followed(storage)
    for (let batch = 0; batch < 20; batch += 1) {
      await storage.feed.append([`${batch}a`, `${batch}b`])
      await turn()
    }
    expect(heard).toHaveLength(40)
    expect(heard.filter((message) => message.startsWith('gap'))).toEqual([])
  })

  it('forgets everything on clear and tells followers of a gap', async () => {
    const storage = new MemoryStorage()
    const { heard } = await followed(storage)
    await storage.set('a', '1')
    const token = await storage.lease.acquire('a', 1_000)
    void storage.feed.append(['lost'])
    storage.clear()
    await turn()
    await storage.feed.append(['next'])
    await turn()
    expect(heard).toEqual(['gap: the log has vanished', 'next'])
    expect(await storage.get('a')).toBeNull()
    expect(token).not.toBeNull()
    expect(await storage.lease.acquire('a', 1_000)).not.toBeNull()
  })

  it('does not let a follower that stops itself hear more', async () => {
    const storage = new MemoryStorage({ feedLength: 1 })
    const heard: string[] = []
    const stop = await storage.feed.follow(
      (messages) => heard.push(...messages),
      () => stop(),
    )
    await storage.feed.append(['1', '2'])
    await turn()
    expect(heard).toEqual([])
  })

  it('shares data among handles, each closing for itself', async () => {
    const first = new MemoryStorage()
    const second = first.connect()
    const { heard } = await followed(second)
    await first.set('a', '1')
    await first.feed.append(['a'])
    await turn()
    await first.close()
    expect(await second.get('a')).toBe('1')
    expect(heard).toEqual(['a'])
    await expect(first.get('a')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
    await expect(first.feed.append(['b'])).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
  })

  it('expires by the clock it was given, values and leases alike', async () => {
    const clock = new VirtualClock()
    const storage = new MemoryStorage({ clock })
    await storage.set('a', '1', 0.25)
    const token = await storage.lease.acquire('a', 10)
    expect(await storage.get('a')).toBe('1')
    await clock.advance(1)
    expect(await storage.get('a')).toBeNull()
    expect(await storage.lease.acquire('a', 10)).toBeNull()
    await clock.advance(9)
    const next = await storage.lease.acquire('a', 10)
    expect(next).not.toBeNull()
    await storage.lease.release('a', token ?? '')
    expect(await storage.lease.acquire('a', 10)).toBeNull()
  })

  it('does not pile up expired entries that nobody reads', async () => {
    const clock = new VirtualClock({ drain: async () => {} })
    const storage = new MemoryStorage({ clock })
    let most = 0
    for (let write = 0; write < 1_000; write += 1) {
      await storage.set(`k${write}`, 'x', 5)
      await clock.advance(1)
      most = Math.max(most, storage.size)
    }
    expect(most).toBeLessThan(30)
  })

  it('refuses what is no string, and a feed of no length', async () => {
    const storage = new MemoryStorage()
    await expect(storage.set('a', 1 as unknown as string)).rejects.toThrow('strings only, got number')
    await expect(
      storage.setMany([
        { key: 'a', value: '1' },
        { key: 'b', value: null as unknown as string },
      ]),
    ).rejects.toThrow('got object')
    expect(await storage.get('a')).toBeNull()
    expect(() => new MemoryStorage({ feedLength: 0 })).toThrow(InvalidOptionError)
  })
})
