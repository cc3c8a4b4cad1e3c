/** An outage of 30 seconds under load, in virtual time: what callers, the log and the store see of it. */
import { expect, test } from 'vitest'
import { QueryClient } from '../../src/index.ts'
import { MemoryStorage } from '../../src/storages/memory/index.ts'
import { ChaosStorage, type Fault, VirtualClock } from '../../src/testing/index.ts'

const KEYS = 40
const OUTAGE = 30_000

function setUp() {
  const clock = new VirtualClock()
  const memory = new MemoryStorage({ clock })
  const store = new ChaosStorage(memory, { clock })
  const log: unknown[][] = []
  const note = (...all: unknown[]) => void log.push(all)
  const logger = { info: note, warn: note, error: note }
  const clientOf = (storage: MemoryStorage | ChaosStorage) =>
    new QueryClient({ storage, clock, logger, staleTime: 1_000 })
  return { clock, memory, store, log, client: clientOf(store), other: clientOf(memory.connect()) }
}
type Setting = ReturnType<typeof setUp>

/** Fetches and writes for `milliseconds`; returns what was rejected and the longest that a fetch took. */
async function load({ clock, client }: Setting, milliseconds: number) {
  const failures: unknown[] = []
  let longest = 0
  const end = clock.now() + milliseconds
  for (let turn = 0; clock.now() < end; turn++) {
    const started = clock.now()
    for (let n = 0; n < 5; n++) {
      const id = (turn * 7 + n * 11) % KEYS
      void client
        .fetchQuery({ queryKey: ['item', id], queryFn: async () => ({ id, at: clock.now() }), retry: false })
        .then(() => {
          longest = Math.max(longest, clock.now() - started)
        })
        .catch((error) => failures.push(error))
    }
    if (turn % 3 === 0) client.setQueryData(['item', turn % KEYS], { set: turn })
    await clock.advance(100)
  }
  return { failures, longest }
}

const inStore = ({ other }: Setting) =>
  Promise.all(Array.from({ length: KEYS }, (_, id) => other.getQueryDataAsync(['item', id])))
const inMemory = ({ client }: Setting) =>
  Array.from({ length: KEYS }, (_, id) => client.getQueryData(['item', id]))

test.each<[string, Fault]>([
  ['hangs', { kind: 'hang' }],
  ['rejects', { kind: 'reject' }],
  ['throws', { kind: 'throw' }],
  ['takes what it is given and does not answer', { kind: 'lost-answer' }],
])(
  'a store that %s for 30 s: no failed fetch, the last values in it afterwards, two lines',
  async (_how, fault) => {
    const setting = setUp()
    const { clock, store, client, log } = setting
    expect((await load(setting, 3_000)).failures).toEqual([])
    await client.flush()
    expect(log).toEqual([])
    const beganAt = clock.now()
    store.fault(fault)
    expect(await load(setting, OUTAGE)).toEqual({ failures: [], longest: 0 })
    // A probe may be under way just now.
    const circuit = expect.stringMatching(/open|probing/)
    expect(client.stats().storage).toMatchObject({ circuit, outages: 1, dropped: 0 })

    store.heal({ hanging: 'reject' })
    // At most one pause of the probes, and no more load: nothing but the replay brings the store up to date.
    await clock.advance(5_500)
    expect(client.stats().storage).toMatchObject({ circuit: 'closed', pending: 0, dropped: 0, outages: 1 })
    expect(await inStore(setting)).toEqual(inMemory(setting))

    expect(log).toHaveLength(2)
    const [away, back] = log as [[string, Error], [string]]
    expect(away[0]).toMatch(/L2 is away \((get|set)\)/)
    expect(away[1]).toMatchObject({ code: expect.stringMatching(/STORAGE_(TIMEOUT|FAILED)/) })
    const [, length, replayed] = /L2 is back after (\d+) ms; replaying (\d+) writes/.exec(back[0]) ?? []
    expect(Number(length)).toBeGreaterThan(OUTAGE - 2_000)
    expect(Number(length)).toBeLessThanOrEqual(clock.now() - beganAt)
    expect(Number(replayed)).toBe(client.stats().storage?.replayed)
    expect(Number(replayed)).toBeGreaterThanOrEqual(KEYS)
  },
)

test('a removal made while the store is away is in it afterwards, for other workers too', async () => {
  const setting = setUp()
  const { clock, store, client, other } = setting
  await load(setting, 3_000)
  await client.flush()
  expect(await other.getQueryDataAsync(['item', 1])).toBeDefined()
  other.clear()
  store.fault({ kind: 'reject' })
  await load(setting, 5_000)
  await client.removeQueries(['item', 1])
  await client.removeQueries(['never', 'seen'])
  store.heal()
  await clock.advance(5_500)
  expect(await other.getQueryDataAsync(['item', 1])).toBeUndefined()
  expect(await other.getQueryDataAsync(['item', 2])).toEqual(client.getQueryData(['item', 2]))
})

test('a store that comes back empty costs misses, and holds every key again after its next write', async () => {
  const setting = setUp()
  const { clock, memory, store, client, other } = setting
  await load(setting, 3_000)
  await client.flush()
  store.fault({ kind: 'reject' })
  await load(setting, OUTAGE)
  memory.clear()
  store.heal()
  await clock.advance(5_500)
  for (const [id, value] of (await inStore(setting)).entries())
    expect([undefined, client.getQueryData(['item', id])]).toContainEqual(value)
  expect((await load(setting, 10_000)).failures).toEqual([])
  await client.flush()
  other.clear()
  expect(await inStore(setting)).toEqual(inMemory(setting))
})
