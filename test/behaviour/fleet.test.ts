/** Several clients on one store with a change feed and leases, in virtual time. */

import { expect, it, onTestFinished } from 'vitest'
import { QueryClient } from '../../src/index.ts'
import { MemoryStorage } from '../../src/storages/memory/index.ts'
import { ChaosStorage, VirtualClock } from '../../src/testing/index.ts'

interface World {
  readonly clock: VirtualClock
  readonly clients: QueryClient[]
  readonly chaos: ChaosStorage[]
  readonly log: string[]
  calls: number
  read(client: number, key?: readonly (string | number)[]): Promise<number>
}

const MINUTE = 60_000

function world(workers: number, latency = 50): World {
  const clock = new VirtualClock()
  const first = new MemoryStorage({ clock })
  const log: string[] = []
  const say = (message: string): number => log.push(message)
  const logger = { info: say, warn: say, error: say }
  const chaos = Array.from({ length: workers }, () => new ChaosStorage(first.connect(), { clock }))
  const clients = chaos.map((storage) => new QueryClient({ clock, storage, logger, staleTime: 10 * MINUTE }))
  const made: World = {
    clock,
    clients,
    chaos,
    log,
    calls: 0,
    read: (client, key = ['user', 1]) =>
      (clients[client] as QueryClient).fetchQuery({
        queryKey: key,
        queryFn: async () => {
          const version = ++made.calls
          await new Promise<void>((resolve) => clock.setTimeout(resolve, latency))
          return version
        },
      }),
  }
  onTestFinished(async () => {
    for (const client of clients) {
      const closed = client.close({ timeout: 100 })
      await clock.advance(5_000)
      await closed
    }
  })
  return made
}

it('calls the origin once for one cold key in all workers', async () => {
  const made = world(8)
  const { clock, read } = made
  const answers = Promise.all(Array.from({ length: 8_000 }, (_, i) => read(i % 8)))
  await clock.advance(5_000)
  expect(new Set(await answers)).toEqual(new Set([1]))
  expect(made.calls).toBe(1)
})

it('calls the origin once when a stale key is refreshed by all workers', async () => {
  const made = world(4)
  const { clock, read } = made
  const warm = Promise.all([0, 1, 2, 3].map((i) => read(i)))
  await clock.advance(1_000)
  await warm
  await clock.advance(11 * MINUTE - 1_000)
  // gcTime has emptied L1 and L2's entry has expired as well: cold again, then stale.
  const again = Promise.all([0, 1, 2, 3].map((i) => read(i)))
  await clock.advance(1_000)
  expect(await again).toEqual([2, 2, 2, 2])
  for (const client of made.clients) await client.invalidateQueries(['user'], { refetch: false })
  const stale = Promise.all([0, 1, 2, 3].map((i) => read(i)))
  await clock.advance(2_000)
  expect(await stale).toEqual([2, 2, 2, 2])
  expect(made.calls).toBe(3)
})

it('drops what a peer has removed from L1, and marks what a peer has invalidated', async () => {
  const { clock, clients, read } = world(3)
  const [one, two, three] = clients as [QueryClient, QueryClient, QueryClient]
  const warm = Promise.all([0, 1, 2].flatMap((i) => [read(i, ['user', 1]), read(i, ['post', 1])]))
  await clock.advance(1_000)
  await warm
  const removal = one.removeQueries(['user'])
  const invalidation = one.invalidateQueries(['post'])
  await clock.advance(1)
  await Promise.all([removal, invalidation])
  for (const peer of [two, three]) {
    expect(peer.cache.has(['user', 1])).toBe(false)
    expect(peer.getQueryState(['post', 1])).toMatchObject({ isInvalidated: true, hasData: true })
  }
})

it("reads a peer's update from L2, not from the origin", async () => {
  const made = world(2)
  const { clock, clients, read } = made
  const warm = Promise.all([read(0), read(1)])
  await clock.advance(1_000)
  await warm
  clients[0]?.setQueryData(['user', 1], 77)
  await clock.advance(1_000)
  const served = read(1)
  await clock.advance(1_000)
  expect(await served).toBe(1)
  expect(await read(1)).toBe(77)
  expect(made.calls).toBe(1)
})

it('reads observed queries again soon after a peer has changed them, without being asked', async () => {
  const made = world(2)
  const { clock, clients } = made
  const seen: unknown[] = []
  clients[1]
    ?.watch({ queryKey: ['user', 1], queryFn: () => ++made.calls })
    .subscribe(({ data }) => seen.push(data))
  await clock.advance(100)
  clients[0]?.setQueryData(['user', 1], 77)
  await clock.advance(1_500)
  expect(seen.at(-1)).toBe(77)
  expect(made.calls).toBe(1)
})

it('does not store a fetch that a peer has overtaken', async () => {
  const made = world(2, 500)
  const { clock, clients, read } = made
  const early = read(1)
  await clock.advance(100)
  const removal = clients[0]?.removeQueries(['user'])
  await clock.advance(1)
  await removal
  await clock.advance(1_000)
  expect(await early).toBe(1)
  expect(clients[1]?.cache.has(['user', 1])).toBe(false)
  const late = read(0)
  await clock.advance(1_000)
  expect(await late).toBe(2)
})

it('believes nothing in L1 after a gap, and reads L2 again instead of the origin', async () => {
  const made = world(2)
  const { clock, clients, chaos, read } = made
  const warm = read(1)
  await clock.advance(1_000)
  await warm
  chaos[1]?.fault({ kind: 'lose' }, { operations: ['deliver'] })
  clients[0]?.setQueryData(['user', 1], 77)
  await clock.advance(1_000)
  expect(made.log.filter((line) => line.includes('may have been missed'))).toHaveLength(1)
  const again = read(1)
  await clock.advance(1_000)
  expect(await again).toBe(77)
  expect(made.calls).toBe(1)
})

it('empties what was removed over a gap under its observers, whoever has the lease to bring it again', async () => {
  const { clock, clients, chaos, read } = world(2, 10 * MINUTE)
  const [one, two] = clients as [QueryClient, QueryClient]
  const keys = ['user', 'post'].map((name) => [name, 1] as const)
  for (const queryKey of keys) one.setQueryData(queryKey, 0)
  await clock.advance(1_000)
  for (const queryKey of keys) two.watch<number>({ queryKey, queryFn: () => -1 }).subscribe(() => {})
  await clock.advance(1_000)
  expect(keys.map((key) => two.getQueryData(key))).toEqual([0, 0])
  chaos[1]?.fault({ kind: 'lose' }, { operations: ['deliver'] })
  const removal = one.removeQueries(['user'])
  const late = read(0)
  late.catch(() => {})
  await clock.advance(600)
  await removal
  expect(keys.map((key) => two.getQueryState(key)?.hasData)).toEqual([false, true])
})

it('asks again whether what is observed was removed over a gap, where neither L2 nor the origin answers', async () => {
  const { clock, clients, chaos } = world(2)
  const [one, two] = clients as [QueryClient, QueryClient]
  const queryKey = ['user', 1]
  one.setQueryData(queryKey, 0)
  await clock.advance(1_000)
  const fail = () => Promise.reject(new Error('the origin is away'))
  two.watch<number>({ queryKey, queryFn: fail, retry: false }).subscribe(() => {})
  await clock.advance(1_000)
  expect(two.getQueryData(queryKey)).toBe(0)
  chaos[1]?.fault({ kind: 'lose' }, { operations: ['deliver'] })
  const heal = chaos[1]?.fault({ kind: 'reject' }, { operations: ['get', 'getMany'] })
  const removal = one.removeQueries(queryKey)
  await clock.advance(30_000)
  await removal
  expect(two.getQueryState(queryKey)).toMatchObject({ hasData: true, isInvalidated: true })
  heal?.()
  await clock.advance(12_000)
  expect(two.getQueryState(queryKey)?.hasData).toBe(false)
})

it("waits no longer than the lease's life for a holder that has died", async () => {
  const made = world(2)
  const { clock, clients, chaos } = made
  const never = clients[0]?.fetchQuery({
    queryKey: ['user', 1],
    queryFn: () => new Promise<number>(() => {}),
  })
  never?.catch(() => {})
  await clock.advance(100)
  // Dead: it neither renews nor releases.
  chaos[0]?.fault({ kind: 'hang' })
  const other = made.read(1)
  let isThere = false
  void other.then(() => {
    isThere = true
  })
  await clock.advance(2_000)
  expect(isThere).toBe(false)
  await clock.advance(2_000)
  expect(isThere).toBe(true)
})

it('goes ahead where leases fail', async () => {
  const made = world(2)
  const { clock, chaos, read } = made
  for (const store of chaos) store.fault({ kind: 'reject' }, { operations: ['acquire'] })
  const answers = Promise.all([read(0), read(1)])
  await clock.advance(1_000)
  expect((await answers).every((answer) => answer > 0)).toBe(true)
})

it('adds at most storageTimeout to a fetch, whichever part of L2 hangs', async () => {
  for (const operation of ['get', 'getMany', 'acquire', 'follow', 'set', 'add'] as const) {
    const { clock, chaos, read } = world(1, 0)
    chaos[0]?.fault({ kind: 'hang' }, { operations: [operation as 'get'] })
    let isThere = false
    void read(0).then(() => {
      isThere = true
    })
    await clock.advance(250)
    expect(isThere, operation).toBe(true)
  }
})

it('is right again after the feed could not be followed at first', async () => {
  const made = world(2)
  const { clock, clients, chaos, read } = made
  const heal = chaos.map((store) => store.fault({ kind: 'reject' }, { operations: ['follow'] }))
  const late = new QueryClient({
    clock,
    storage: chaos[1] as ChaosStorage,
    logger: { warn() {}, error() {} },
    staleTime: 10 * MINUTE,
  })
  const first = late.fetchQuery({ queryKey: ['user', 1], queryFn: () => 1 })
  await clock.advance(300)
  await first
  const removal = clients[0]?.removeQueries(['user'])
  await clock.advance(10)
  await removal
  expect(late.cache.has(['user', 1])).toBe(true)
  for (const end of heal) end()
  await clock.advance(6_000)
  expect(late.cache.has(['user', 1])).toBe(false)
  expect(late.stats().fleet?.isFollowing).toBe(true)
  void read
})

it('hears of invalidations within syncInterval where the store has no feed', async () => {
  const clock = new VirtualClock()
  const map = new Map<string, string>()
  let operations = 0
  const count = <T>(result: T): T => {
    operations++
    return result
  }
  const storage = {
    get: async (key: string) => count(map.get(key)),
    set: async (key: string, value: string) => void count(map.set(key, value)),
    delete: async (key: string) => void count(map.delete(key)),
  }
  const make = () =>
    new QueryClient({ clock, storage, staleTime: 10 * MINUTE, gcTime: 60 * MINUTE, syncInterval: 5_000 })
  const [one, two] = [make(), make()]
  const queries = ['user', 'post', 'tag'].map((name) => ({ queryKey: [name, 1], queryFn: () => 1 }))
  for (const query of queries) await two.fetchQuery(query)
  await clock.advance(20_000)
  await one.removeQueries(['user'])
  await one.invalidateQueries(['post'])
  await clock.advance(5_000)
  expect(two.cache.has(['user', 1])).toBe(false)
  expect(two.getQueryState(['post', 1])).toMatchObject({ isInvalidated: true })
  expect(two.getQueryState(['tag', 1])).toMatchObject({ isInvalidated: false, isStale: false })
  await clock.advance(5_000)
  operations = 0
  await clock.advance(50_000)
  expect(operations).toBeLessThanOrEqual(11)
  await Promise.all([one.close(), two.close(), clock.advance(1_000)])
})

it('ends what waits for a lease, and was overtaken, with the next fetch of its key, which waits for L2 once only', async () => {
  const made = world(2, 2_000)
  const { clock, clients, chaos, read } = made
  const held = read(0)
  await clock.advance(1)
  const overtaken = read(1)
  await clock.advance(20)
  chaos[1]?.fault({ kind: 'hang' })
  void clients[1]?.clear()
  const next = read(1)
  await clock.advance(251)
  expect(made.calls).toBe(2)
  await clock.advance(2_000)
  expect(await Promise.all([held, overtaken, next])).toEqual([1, 2, 2])
  expect(made.calls).toBe(2)
})

it('waits for no lease that a later fetch of its own key holds, nor the other way round', async () => {
  const made = world(2, 100)
  const { clock, clients, read } = made
  const answers = [read(0)]
  await clock.advance(1)
  // It waits for the lease; then a removal overtakes it, and whoever comes next has to wait for its end.
  answers.push(read(1))
  await clock.advance(70)
  const removal = clients[1]?.removeQueries(['user'])
  await clock.advance(1)
  await removal
  answers.push(read(1))
  let settled = 0
  for (const answer of answers) void answer.then(() => settled++)
  await clock.advance(1_000)
  expect(settled).toBe(3)
})
