/** L1 cold, L2 warm, over SQLite. */

import { join } from 'node:path'
import { emptyFolder } from '../harness/folder.mjs'
import { KEYS, overStorage, readCases } from '../harness/l2-read.mjs'
import { LEAST, leastReader, leastText } from '../harness/least.mjs'
import { openRawSqlite } from '../harness/raw-sqlite.mjs'
import { SKELETON, skeletonReader } from '../harness/skeleton.mjs'
import { userOf } from '../harness/user.mjs'

export const question = {
  name: 'l2-sqlite',
  title: 'L1 cold, L2 warm: SQLite',
  unit: 'read',
  cases: readCases({
    'floor: the driver, get + JSON.parse': async () => {
      const { database, get, set } = await openRawSqlite()
      return {
        get: async (i) => JSON.parse(get.get(`user:${i}`).value),
        fill() {
          for (let i = 0; i < KEYS; i++) set.run(`user:${i}`, JSON.stringify(userOf(i)))
        },
        close: () => database.close(),
      }
    },
    [LEAST]: async () => {
      const { database, get, set } = await openRawSqlite()
      return leastReader({
        read: (i) => get.get(`user:${i}`).value,
        fill() {
          for (let i = 0; i < KEYS; i++) set.run(`user:${i}`, leastText(userOf(i)))
        },
        close: () => database.close(),
      })
    },
    [SKELETON]: async () => {
      const { database, get, set } = await openRawSqlite()
      return skeletonReader({
        readNow: (name) => get.get(name).value,
        write: (name, text) => set.run(name, text),
        close: () => database.close(),
      })
    },
    stackquery: async () => {
      const { SQLiteStorage } = await import('stackquery/sqlite')
      return overStorage(() => new SQLiteStorage(join(emptyFolder(), 'cache.db')))
    },
  }),
}
