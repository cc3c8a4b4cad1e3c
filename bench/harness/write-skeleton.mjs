/**
 * The skeleton of a write that keeps the promises, written in one piece for one shape of keys: found by the parts of its key
 * and put into the order of use, named, hashed for its tokens, looked through for what JSON cannot carry, put into an envelope
 * with its checksum, kept by its key until the file has it, so that reads are answered and a later write takes its place, sent
 * to a thread that stores it with its expiry, and told to the peers once it is there; what they tell is read. It has no
 * limits, outages, circuit, retries, observers, states, statistics, options or other shapes of keys, and its tokens are known.
 */

import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { keepStringsFast } from './fast-strings.mjs'
import { envelopeOf, nameOf, Tokens, TTL } from './skeleton.mjs'

export const WRITE_SKELETON = 'skeleton: + keys, tokens, checks, expiry, LRU, queue, peers'

/** Rows in a message to the thread; what is told to the peers in one of the log. */
const BATCH = 500
const UPDATES = 64
const HEAD = '[1,"app","worker",'

/** `database`: to read by. → `{ write(i, data), flush(), close() }`, for `['user', i]`. */
export async function skeletonWriter(path, database) {
  keepStringsFast()
  const thread = new Worker(new URL('./write-skeleton-thread.mjs', import.meta.url), { workerData: path })
  await once(thread, 'message')
  const heardSince = database.prepare('SELECT id, text FROM message WHERE id > ? ORDER BY id LIMIT 200')
  const tokens = new Tokens()
  const root = new Map()
  const pending = new Map()
  let newest = null
  let heard = 0
  const underWay = []
  let batch = []
  let updates = []

  const hear = () => {
    for (const { id, text } of heardSince.all(heard)) {
      heard = id
      if (!text.startsWith(HEAD)) JSON.parse(text)
    }
  }
  const send = () => {
    const texts = []
    for (let from = 0; from < updates.length; from += UPDATES)
      texts.push(`${HEAD}"u",${updates.slice(from, from + UPDATES).join(',')}]`)
    updates = []
    thread.postMessage({
      keys: batch.map(({ name }) => name),
      values: batch.map(({ text }) => text),
      expires: batch.map(({ expiresAt }) => expiresAt),
      texts,
    })
    underWay.push(batch)
    batch = []
  }
  thread.on('message', () => {
    for (const write of underWay.shift()) {
      if (pending.get(write.name) === write) pending.delete(write.name)
      updates.push(`${write.updatedAt},${JSON.stringify(['"user"', String(write.i)])}`)
    }
    hear()
  })
  return {
    write(i, data) {
      let below = root.get('user')
      if (below === undefined) {
        below = new Map()
        root.set('user', below)
      }
      const now = Date.now()
      let entry = below.get(i)
      if (entry === undefined) {
        entry = { part: i, data, updatedAt: now, usedAt: now, older: newest, newer: null, list: null }
        if (newest !== null) newest.newer = entry
        newest = entry
        below.set(i, entry)
      }
      entry.data = data
      entry.updatedAt = now
      entry.list = tokens.of('user', i)
      if (!isCarried(data)) throw new Error('JSON cannot carry it')
      const name = nameOf('user', i)
      const text = envelopeOf(name, entry.list, data)
      const write = { i, name, text, expiresAt: now + TTL, updatedAt: now }
      pending.set(name, write)
      batch.push(write)
      if (batch.length === BATCH) send()
    },
    async flush() {
      while (batch.length + underWay.length + updates.length > 0) {
        if (underWay.length === 0) send()
        else await once(thread, 'message')
      }
    },
    close() {
      thread.removeAllListeners('message')
      return thread.terminate()
    },
  }
}

function isCarried(value) {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return true
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0)
  if (typeof value !== 'object') return false
  if (Array.isArray(value)) return value.every(isCarried) && Object.keys(value).length === value.length
  if (Object.getPrototypeOf(value) !== Object.prototype || Object.getOwnPropertySymbols(value).length > 0)
    return false
  for (const name in value) if (name === '__proto__' || !isCarried(value[name])) return false
  return true
}
