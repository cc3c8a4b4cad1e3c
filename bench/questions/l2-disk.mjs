/** L1 cold, L2 warm, over the disk cache. */

import { emptyFolder } from '../harness/folder.mjs'
import { KEYS, overStorage, readCases } from '../harness/l2-read.mjs'
import { LEAST, leastReader, leastText } from '../harness/least.mjs'
import { SKELETON, skeletonReader } from '../harness/skeleton.mjs'
import { userOf } from '../harness/user.mjs'

export const question = {
  name: 'l2-disk',
  title: 'L1 cold, L2 warm: disk',
  unit: 'read',
  cases: readCases({
    'floor: lmdb, get + JSON.parse': async () => {
      const { open } = await import('lmdb')
      const store = open({ path: emptyFolder(), encoding: 'string' })
      return {
        get: async (i) => JSON.parse(store.get(`user:${i}`)),
        async fill() {
          for (let i = 0; i < KEYS; i++) await store.put(`user:${i}`, JSON.stringify(userOf(i)))
        },
        close: () => store.close(),
      }
    },
    [LEAST]: async () => {
      const { open } = await import('lmdb')
      const store = open({ path: emptyFolder(), encoding: 'string' })
      return leastReader({
        read: (i) => store.get(`user:${i}`),
        async fill() {
          for (let i = 0; i < KEYS; i++) await store.put(`user:${i}`, leastText(userOf(i)))
        },
        close: () => store.close(),
      })
    },
    [SKELETON]: async () => {
      const { open } = await import('lmdb')
      const store = open({ path: emptyFolder(), encoding: 'string' })
      return skeletonReader({
        readNow: (name) => store.get(name),
        write: (name, text) => store.put(name, text),
        close: () => store.close(),
      })
    },
    stackquery: async () => {
      const { DiskCacheStorage } = await import('stackquery/disk')
      return overStorage(() => new DiskCacheStorage(emptyFolder()))
    },
  }),
}
