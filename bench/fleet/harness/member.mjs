/**
 * One worker of a fleet: a QueryClient in a process of its own, told over IPC what to do. Its `queryFn` asks the one
 * origin of the fleet, in the parent.
 */

import { moment, sleep } from './moment.mjs'
import { openStorage } from './place.mjs'

const { place, config } = JSON.parse(process.argv[2])
const { QueryClient } = await import('../../../dist/index.js')

const log = []
const say = (level) => (message) => log.push(`${level}: ${message}`)
const logger = { info: say('info'), warn: say('warn'), error: say('error') }
const storage = await openStorage(place)
let onHeard = () => {}
/** How often the log has been looked at. */
let looks = 0
if (storage.feed !== undefined) watchFeed(storage.feed)
const client = new QueryClient({ storage, logger, staleTime: 60_000, retry: false, ...config })

const asked = new Map()
let lastAsked = 0
let fetches = 0
const reads = []
let load = null

function ask(message) {
  const id = ++lastAsked
  return new Promise((resolve, reject) => {
    asked.set(id, { resolve, reject })
    process.send({ ...message, asked: id })
  })
}

async function queryFn({ queryKey }) {
  fetches++
  const began = moment()
  const version = await ask({ origin: JSON.stringify(queryKey) })
  return { version, began }
}

async function read(key, mode) {
  const start = moment()
  let data
  try {
    const whenStale = mode === 'wait' ? 'wait' : 'serve'
    data = await client.fetchQuery({ queryKey: key, queryFn, whenStale })
  } catch (error) {
    reads.push([JSON.stringify(key), mode, start, moment(), null, 0, error.code ?? error.message])
    return { error: error.message }
  }
  reads.push([JSON.stringify(key), mode, start, moment(), data.began, data.version])
  return data
}

const commands = {
  read: (key, mode = 'serve') => read(key, mode),
  /** Many callers at once. */
  async burst(key, callers, mode = 'serve') {
    const start = moment()
    const fetched = fetches
    const whenStale = mode === 'wait' ? 'wait' : 'serve'
    const answers = await Promise.all(
      Array.from({ length: callers }, () => client.fetchQuery({ queryKey: key, queryFn, whenStale })),
    )
    const versions = [...new Set(answers.map(({ version }) => version))]
    return { ms: moment() - start, versions, fetches: fetches - fetched }
  },
  has: (key) => client.cache.has(key),
  state: (key) => {
    const state = client.getQueryState(key)
    return state && { data: state.data, isStale: state.isStale, isInvalidated: state.isInvalidated }
  },
  fill(count, from = 0) {
    for (let i = from; i < from + count; i++)
      client.setQueryData(['fill', i], { filledBy: process.pid, filledAt: moment() })
  },
  /** Removes keys one by one, many at a time. */
  async removeEach(count, from) {
    for (let i = from; i < from + count; i += 200) {
      const some = Array.from({ length: Math.min(200, from + count - i) }, (_, k) => ['fill', i + k])
      await Promise.all(some.map((key) => client.removeQueries(key)))
    }
  },
  /** Reads what was filled, at random, for `ms`; the moment at which the last stale read began. */
  async readFor({ changes, ms, changedAt }) {
    let lastStale = null
    const end = moment() + ms
    while (moment() < end) {
      const keys = Array.from({ length: 50 }, () => Math.floor(Math.random() * changes))
      const start = moment()
      const data = await Promise.all(
        keys.map((i) => client.fetchQuery({ queryKey: ['fill', i], queryFn, whenStale: 'wait' })),
      )
      if (data.some((each) => each.filledBy === process.pid && each.filledAt < changedAt)) lastStale = start
      await sleep(1)
    }
    return { lastStale }
  },
  async countOld({ changes, changedAt }) {
    let old = 0
    for (let from = 0; from < changes; from += 200) {
      const keys = Array.from({ length: Math.min(200, changes - from) }, (_, k) => ['fill', from + k])
      const data = await Promise.all(
        keys.map((queryKey) => client.fetchQuery({ queryKey, queryFn, whenStale: 'wait' })),
      )
      old += data.filter((each) => each.filledBy === process.pid && each.filledAt < changedAt).length
    }
    return old
  },
  set: (key, version) => void client.setQueryData(key, { version, began: moment() }),
  async hydrate(keys) {
    await Promise.all(keys.map((key) => client.getQueryDataAsync(key)))
    return keys.filter((key) => client.cache.has(key)).length
  },
  /** `ackedAt`: when it was resolved, or, where L2 was away or slow, when L2 and the feed had it. */
  async invalidate(key, kind) {
    const calledAt = moment()
    await (kind === 'hard' ? client.removeQueries(key) : client.invalidateQueries(key, { refetch: false }))
    const resolvedAt = moment()
    const isDeferred =
      resolvedAt - calledAt >= (config.storageTimeout ?? 250) - 5 ||
      client.stats().storage.circuit !== 'closed'
    while (isDeferred) {
      const { pending } = await client.flush({ timeout: 60_000 })
      const { storage: tier, fleet } = client.stats()
      if (pending === 0 && tier.circuit === 'closed' && (fleet?.untold ?? 0) === 0) break
      await sleep(5)
    }
    return { calledAt, resolvedAt, ackedAt: moment(), isDeferred }
  },
  /** Tells the parent, from here on, when L1 has dropped one of `keys`, of which it holds all now. */
  watchDrops(keys) {
    const held = new Map(keys.map((key) => [JSON.stringify(key), key]))
    onHeard = () => {
      for (const [name, key] of held) {
        if (client.cache.has(key)) continue
        held.delete(name)
        process.send({ dropped: name, at: moment() })
      }
    }
  },
  /** Reads at random, `batch` at a time, every `pause` ms, until told to stop. */
  startLoad({ keys, batch, pause, modes = ['serve', 'wait'], writes = 0, isQuiet = false }) {
    let isOn = true
    load = { stop: () => (isOn = false), done: null }
    const some = (list) => list[Math.floor(Math.random() * list.length)]
    load.done = (async () => {
      while (isOn) {
        for (let i = 0; i < writes; i++) client.setQueryData(some(keys), { version: -1, began: moment() })
        const running = Array.from({ length: batch }, () => read(some(keys), some(modes)))
        await Promise.all(running)
        if (isQuiet) reads.length = 0
        await sleep(pause)
      }
    })()
  },
  async stopLoad() {
    load?.stop()
    await load?.done
  },
  takeReads: () => reads.splice(0),
  takeLog: () => log.splice(0),
  stats: () => client.stats(),
  flush: () => client.flush(),
  async idle(ms) {
    const [cpu, start, before] = [process.cpuUsage(), moment(), looks]
    await sleep(ms)
    const { user, system } = process.cpuUsage(cpu)
    return { cpuMs: (user + system) / 1_000, ms: moment() - start, looks: looks - before }
  },
}

function watchFeed(feed) {
  const follow = feed.follow.bind(feed)
  feed.follow = (onMessages, onGap, onAnswer) =>
    follow(
      (messages) => {
        onMessages(messages)
        onHeard()
      },
      onGap,
      (age) => {
        looks++
        onAnswer(age)
      },
    )
}

process.on('message', async (message) => {
  if (message.asked !== undefined) {
    const { resolve, reject } = asked.get(message.asked)
    asked.delete(message.asked)
    if (message.error === undefined) resolve(message.result)
    else reject(new Error(message.error))
    return
  }
  const { id, name, args } = message
  try {
    process.send({ id, result: await commands[name](...args) })
  } catch (error) {
    process.send({ id, error: error?.stack ?? String(error) })
  }
})
process.on('disconnect', async () => {
  await client.close({ timeout: 1_000 })
  process.exit()
})
// Connections and files are open, and the feed is followed, before a question begins.
client.setQueryData(['warm-up', process.pid], { version: 0, began: 0 })
await client.flush()
await client.getQueryDataAsync(['warm-up'])
process.send('ready')
