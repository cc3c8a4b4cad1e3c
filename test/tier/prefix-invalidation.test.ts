/** Invalidation of prefixes by a worker that never saw their keys, over a plain Map of three methods. */
import { describe, expect, test } from 'vitest'
import { QueryClient, type QueryKey, type StorageBackend } from '../../src/index.ts'
import { VirtualClock } from '../../src/testing/index.ts'

function setUp() {
  const clock = new VirtualClock()
  const map = new Map<string, string>()
  const storage: StorageBackend = {
    get: (key) => map.get(key),
    set: (key, value) => map.set(key, value),
    delete: (key) => map.delete(key),
  }
  const worker = () =>
    new QueryClient({ storage, clock, staleTime: Number.POSITIVE_INFINITY, logger: silent })
  let calls = 0
  const options = (queryKey: QueryKey) => ({ queryKey, queryFn: async () => `call ${++calls}` })
  return { clock, map, worker, options }
}
const silent = { warn() {}, error() {} }

const USERS: QueryKey[] = [
  ['users'],
  ['users', 1],
  ['users', 1, 'posts'],
  ['users', { role: 'admin', page: 2 }],
  ...Array.from({ length: 50 }, (_, id) => ['users', 'list', id]),
]
const OTHERS: QueryKey[] = [['user', 1], ['usersx'], ['posts', 'users'], []]

async function filled() {
  const setting = setUp()
  const first = setting.worker()
  for (const key of [...USERS, ...OTHERS]) await first.fetchQuery(setting.options(key))
  await first.flush()
  await first.close()
  /** What a worker without an L1 finds in the store. */
  const found = async (keys: QueryKey[]) => {
    const reader = setting.worker()
    return Promise.all(keys.map((key) => reader.getQueryDataAsync(key)))
  }
  return { ...setting, found }
}

describe('a worker that never saw the keys', () => {
  test('removes a prefix: all under it are gone for everyone, and nothing else is', async () => {
    const { worker, found } = await filled()
    expect(await found(USERS)).not.toContain(undefined)
    await worker().removeQueries(['users'])
    expect(new Set(await found(USERS))).toEqual(new Set([undefined]))
    expect(await found(OTHERS)).not.toContain(undefined)
  })

  test('invalidates a prefix: all under it are stale for everyone, served, and fetched anew behind', async () => {
    const { clock, worker, options, found } = await filled()
    const before = await found(USERS)
    await worker().invalidateQueries(['users'])
    const reader = worker()
    const served = await Promise.all(USERS.map((key) => reader.fetchQuery(options(key))))
    expect(served).toEqual(before)
    await clock.settle()
    await reader.flush()
    const after = await found(USERS)
    for (const [i, value] of after.entries()) expect(value).not.toBe(before[i])
    expect(await Promise.all(OTHERS.map((key) => worker().fetchQuery(options(key))))).toEqual(
      await found(OTHERS),
    )
  })

  test('removes everything by the empty prefix', async () => {
    const { worker, found } = await filled()
    await worker().removeQueries()
    expect(new Set(await found([...USERS, ...OTHERS]))).toEqual(new Set([undefined]))
  })

  test('removes one key exactly, and leaves what is below it', async () => {
    const { worker, found } = await filled()
    await worker().removeQueries({ queryKey: ['users', 1], exact: true })
    expect(await found([['users', 1]])).toEqual([undefined])
    expect(await found([['users', 1, 'posts'], ['users']])).not.toContain(undefined)
  })

  test('overtakes a fetch that runs in another worker: its late write is not believed by anyone', async () => {
    const { clock, worker, found } = await filled()
    const slow = worker()
    let answer: (value: string) => void = () => {}
    const result = slow.fetchQuery({
      queryKey: ['users', 'slow'],
      queryFn: () => new Promise<string>((resolve) => (answer = resolve)),
    })
    await clock.settle()
    await worker().removeQueries(['users'])
    answer('from before')
    expect(await result).toBe('from before')
    await slow.flush()
    expect(await found([['users', 'slow']])).toEqual([undefined])
  })

  test('and the writes that come after it are believed again', async () => {
    const { worker, options, found } = await filled()
    await worker().removeQueries(['users'])
    const writer = worker()
    await writer.fetchQuery(options(['users', 1]))
    await writer.flush()
    expect(await found([['users', 1]])).toEqual([expect.stringContaining('call')])
  })
})

test('a store that has lost any single key never brings back what was removed', async () => {
  const { map, worker, found } = await filled()
  const old = new Map(map)
  await worker().removeQueries(['users'])
  const removed = new Map(map)
  for (const lost of removed.keys()) {
    map.clear()
    // The old entries come back too, as from a replica that lagged; only the tokens are of now.
    for (const [key, value] of [...old, ...removed].filter(([key]) => key !== lost)) map.set(key, value)
    for (const [key, value] of old) if (key.startsWith('sq:d:')) map.set(key, value)
    expect(new Set(await found(USERS.slice(0, 5))), lost).toEqual(new Set([undefined]))
  }
})
