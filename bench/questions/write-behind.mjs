/**
 * 20,000 writes over SQLite, 100 in each turn of the event loop as requests would bring them, until the last is in the
 * file; and by how much the event loop is late meanwhile.
 */

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setImmediate } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { emptyFolder } from '../harness/folder.mjs'
import { watchLateness } from '../harness/lateness.mjs'
import { LEAST, leastData, leastText } from '../harness/least.mjs'
import { openRawSqlite, openSqlite } from '../harness/raw-sqlite.mjs'
import { nameOf } from '../harness/skeleton.mjs'
import { userOf } from '../harness/user.mjs'
import { skeletonWriter, WRITE_SKELETON } from '../harness/write-skeleton.mjs'

const WRITES = 20_000
const PER_TURN = 100
/** Of the least that a library can do: rows in a message to its thread. */
const BATCH = 500

function burst({ write, flush = async () => {}, read, close }) {
  let round = 0
  return {
    n: WRITES,
    close,
    async round() {
      round++
      const lateness = watchLateness()
      const started = performance.now()
      for (let i = 0; i < WRITES; i++) {
        write(i, { ...userOf(i), round })
        if (i % PER_TURN === PER_TURN - 1) await setImmediate()
      }
      const taken = performance.now()
      await flush()
      const ms = performance.now() - started
      const { p99, most } = lateness()
      for (const i of [0, 9_999, WRITES - 1]) assert.equal((await read(i)).round, round)
      return {
        ms,
        'p99 late ms': Number(p99.toFixed(2)),
        'most late ms': Number(most.toFixed(2)),
        "ms until the caller's last write": Math.round(taken - started),
      }
    },
  }
}

export const question = {
  name: 'write-behind',
  title: '20,000 writes over SQLite',
  unit: 'write',
  cases: {
    'until the last is in the file': {
      'the driver, a transaction per write': async () => {
        const { database, set, get } = await openRawSqlite()
        return burst({
          write: (i, data) => set.run(`user:${i}`, JSON.stringify(data)),
          read: (i) => JSON.parse(get.get(`user:${i}`).value),
          close: () => database.close(),
        })
      },
      'the driver, one transaction for all': async () => {
        const { database, set, get } = await openRawSqlite()
        let isOpen = false
        return burst({
          write(i, data) {
            if (!isOpen) database.exec('BEGIN')
            isOpen = true
            set.run(`user:${i}`, JSON.stringify(data))
          },
          async flush() {
            database.exec('COMMIT')
            isOpen = false
          },
          read: (i) => JSON.parse(get.get(`user:${i}`).value),
          close: () => database.close(),
        })
      },
      [`${LEAST}, a thread`]: async () => {
        const path = join(emptyFolder(), 'raw.db')
        const { database, get } = await openSqlite(path)
        const thread = new Worker(new URL('../harness/write-thread.mjs', import.meta.url), {
          workerData: path,
        })
        await once(thread, 'message')
        const kept = new Map()
        let waiting = { keys: [], values: [] }
        let unwritten = 0
        thread.on('message', (written) => {
          unwritten -= written
        })
        const send = () => {
          thread.postMessage(waiting)
          waiting = { keys: [], values: [] }
        }
        return burst({
          write(i, data) {
            kept.set(`user:${i}`, { data, t: Date.now() })
            waiting.keys.push(`user:${i}`)
            waiting.values.push(leastText(data))
            unwritten++
            if (waiting.keys.length === BATCH) send()
          },
          async flush() {
            if (waiting.keys.length > 0) send()
            while (unwritten > 0) await once(thread, 'message')
          },
          read: (i) => leastData(get.get(`user:${i}`).value),
          async close() {
            await thread.terminate()
            database.close()
          },
        })
      },
      [WRITE_SKELETON]: async () => {
        const path = join(emptyFolder(), 'raw.db')
        const { database } = await openSqlite(path)
        const { write, flush, close } = await skeletonWriter(path, database)
        const stored = database.prepare('SELECT value FROM stored WHERE key = ?')
        return burst({
          write,
          flush,
          read: (i) => JSON.parse(stored.get(nameOf('user', i)).value).d,
          async close() {
            await close()
            database.close()
          },
        })
      },
      stackquery: async () => {
        const { QueryClient } = await import('stackquery')
        const { SQLiteStorage } = await import('stackquery/sqlite')
        const path = join(emptyFolder(), 'cache.db')
        const open = () =>
          new QueryClient({
            storage: new SQLiteStorage(path),
            cacheMaxSize: WRITES,
            gcTime: 3_600_000,
            storageTimeout: 5_000,
          })
        const client = open()
        return burst({
          write: (i, data) => client.setQueryData(['user', i], data),
          async flush() {
            const { pending } = await client.flush({ timeout: 120_000 })
            assert.equal(pending, 0)
          },
          async read(i) {
            client.clear()
            return client.getQueryDataAsync(['user', i])
          },
          close: () => client.close(),
        })
      },
    },
  },
}
