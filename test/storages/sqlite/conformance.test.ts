import { mkdirSync, rmdirSync, rmSync } from 'node:fs'
import { describe, test } from 'vitest'
import type { StorageBackend } from '../../../src/ports/storage.ts'
import { type StorageSubject, storageSuite } from '../../../src/testing/index.ts'
import { Driver, newPath, openRaw, openStorage, until } from './setting.ts'

const port = ['getMany', 'setMany', 'deleteMany', 'add', 'keys', 'feed', 'lease', 'renew', 'close'] as const

const removeFile = (path: string) => {
  for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })
}

/** As an append of more messages than the log keeps, of which the follower has heard none. */
const trimLog = (path: string) => {
  const raw = openRaw(path)
  raw.exec(`PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE;
    INSERT INTO message (text, written) VALUES ('unheard', 7), ('unheard', 14), ('heard', 19);
    DELETE FROM message WHERE text = 'unheard';
    COMMIT`)
  raw.close()
}

/** Nothing can be read or written, once an open reader has noticed, which takes a second. */
const putDirectoryInPlace = async (path: string, storage: StorageBackend) => {
  removeFile(path)
  mkdirSync(path)
  await until(() =>
    Promise.resolve(storage.get('a')).then(
      () => false,
      () => true,
    ),
  )
}

const onFile =
  (options: { driver?: typeof Driver }, loseFeed: (path: string) => void) => (): StorageSubject => {
    const path = newPath()
    const storage = openStorage({ path, ...options })
    return {
      storage,
      reopen: () => openStorage({ path, ...options }),
      loseFeed: () => loseFeed(path),
      cutFeed: () => removeFile(path),
      fail: () => putDirectoryInPlace(path, storage),
      recover: () => rmdirSync(path),
    }
  }

const hooks = ['snapshot', 'reopen', 'loseFeed', 'cutFeed', 'fail', 'recover'] as const

describe('SQLiteStorage, writes in a thread', () => {
  storageSuite({ test, profile: 'large', capabilities: [...port, ...hooks], create: onFile({}, trimLog) })
})

describe('SQLiteStorage, writes on the calling thread', () => {
  const create = onFile({ driver: Driver }, removeFile)
  storageSuite({ test, capabilities: [...port, ...hooks], create })
})

describe('SQLiteStorage in memory', () => {
  storageSuite({ test, capabilities: port, create: () => ({ storage: openStorage({ path: ':memory:' }) }) })
})
