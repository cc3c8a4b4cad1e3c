import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { open } from 'lmdb'
import { describe, test } from 'vitest'
import type * as Disk from '../../../src/storages/disk/index.ts'
import { type StorageSubject, storageSuite } from '../../../src/testing/index.ts'
import { scratchDirectory, until } from './scratch.ts'

/** As users run it: a thread starts several times as fast from the build. */
const { DiskCacheStorage } = (await import(
  /* @vite-ignore */ new URL('../../../dist/storages/disk/index.js', import.meta.url).href
)) as typeof Disk

const port = [
  'getMany',
  'setMany',
  'deleteMany',
  'add',
  'snapshot',
  'keys',
  'feed',
  'lease',
  'renew',
  'close',
] as const
const hooks = ['reopen', 'loseFeed', 'cutFeed', 'fail', 'recover'] as const

/** The log vanishes, as with a file that was begun anew. */
const loseLog = async (directory: string) => {
  const root = open({ path: directory, noSubdir: false, maxDbs: 16, maxReaders: 1_000, noSync: true })
  const meta = root.openDB<Buffer, Buffer>({ name: 'meta', keyEncoding: 'binary', encoding: 'binary' })
  root.transactionSync(() => {
    meta.putSync(Buffer.from('incarnation'), Buffer.from('another'))
    meta.removeSync(Buffer.from('log'))
  })
  await root.close()
}

const create = (): StorageSubject => {
  const directory = scratchDirectory()
  const storage = new DiskCacheStorage({ directory })
  return {
    storage,
    reopen: () => new DiskCacheStorage({ directory }),
    loseFeed: () => loseLog(directory),
    cutFeed: () => rmSync(directory, { recursive: true, force: true }),
    fail: async () => {
      rmSync(directory, { recursive: true, force: true })
      mkdirSync(directory)
      writeFileSync(join(directory, 'notes.txt'), 'not ours any more')
      await until(() =>
        storage.get('a').then(
          () => false,
          () => true,
        ),
      )
    },
    recover: () => rmSync(directory, { recursive: true, force: true }),
  }
}

describe('DiskCacheStorage', () => {
  storageSuite({ test, profile: 'large', capabilities: [...port, ...hooks], create })
})
