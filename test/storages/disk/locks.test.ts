import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createGateWord, TransactionGate } from '../../../src/resilience/transaction-gate.ts'
import { FlushMarker } from '../../../src/storages/disk/flush-marker.ts'
import { loadLmdb, openStores } from '../../../src/storages/disk/lmdb.ts'
import { holdOpeningMutexForGood, underOpeningMutex } from '../../../src/storages/disk/opening-mutex.ts'
import { WriteLock } from '../../../src/storages/disk/write-lock.ts'
import { openStorage, scratchDirectory, startChild } from './scratch.ts'

/** Long enough for what does not wait, on any machine that is not stopped. */
const A_WHILE = 300

async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol('pending')
  const timeout = new Promise((resolve) => setTimeout(resolve, A_WHILE, pending))
  return (await Promise.race([promise, timeout])) === pending
}

/** Makes the directory a cache. */
async function begin(directory: string): Promise<void> {
  await openStorage({ directory }).close()
}

/** Another process holds the write lock until it is let go, or killed. */
async function holdLock(directory: string): Promise<{ letGo(): void; kill(): void }> {
  const release = `${directory}.release`
  const holder = startChild('hold-lock', directory, release)
  await holder.line('held')
  return { letGo: () => writeFileSync(release, ''), kill: () => holder.process.kill('SIGKILL') }
}

/** Leaves the file of the opening mutex behind, as if `age` milliseconds ago. */
function leaveMutex(directory: string, holder: string, age = 0): string {
  const path = join(directory, 'stackquery-cache.opening')
  mkdirSync(directory, { recursive: true })
  writeFileSync(path, holder)
  const instant = (Date.now() - age) / 1000
  utimesSync(path, instant, instant)
  return path
}

/** As the mutex names this process. */
async function nameOfThisProcess(): Promise<string> {
  const directory = scratchDirectory()
  mkdirSync(directory)
  const path = join(directory, 'stackquery-cache.opening')
  const [pid, start] = (await underOpeningMutex(directory, () => readFileSync(path, 'utf8'))).split(' ')
  return `${pid} ${start}`
}

test('an opening waits for the transaction of another process', async () => {
  const directory = scratchDirectory()
  await begin(directory)
  const holder = await holdLock(directory)
  const answer = openStorage({ directory }).get('a')
  expect(await isPending(answer)).toBe(true)
  holder.letGo()
  expect(await answer).toBe(undefined)
})

test('a write waits for the opening of another process, a read does not', async () => {
  const directory = scratchDirectory()
  const storage = openStorage({ directory })
  await storage.set('a', '1')
  const holder = await holdLock(directory)
  const write = storage.set('b', '2')
  expect(await isPending(write)).toBe(true)
  expect(await storage.get('a')).toBe('1')
  holder.letGo()
  await write
  expect(await storage.get('b')).toBe('2')
})

test('the lock of a process that was killed is free', async () => {
  const directory = scratchDirectory()
  const storage = openStorage({ directory })
  await storage.set('a', '1')
  const holder = await holdLock(directory)
  const write = storage.set('b', '2')
  holder.kill()
  await write
  expect(await storage.get('b')).toBe('2')
})

test('a lock file that was damaged when the machine went down is begun anew', async () => {
  const directory = scratchDirectory()
  await begin(directory)
  writeFileSync(join(directory, 'stackquery-cache.lock', 'data.mdb'), 'x'.repeat(8192))
  const storage = openStorage({ directory })
  await storage.set('a', '1')
  expect(await storage.get('a')).toBe('1')
})

test('the opening mutex of a dead process is taken over, and leaves nothing behind', async () => {
  const directory = scratchDirectory()
  const child = startChild('idle', directory)
  await child.ended
  leaveMutex(directory, `${child.process.pid} 1 a`)
  await begin(directory)
  expect(readdirSync(directory).filter((name) => name.includes('opening'))).toEqual([])
})

test('the opening mutex is held until what it guards has settled', async () => {
  const directory = scratchDirectory()
  mkdirSync(directory)
  let end = () => {}
  const first = underOpeningMutex(directory, () => new Promise<void>((resolve) => (end = resolve)))
  const second = underOpeningMutex(directory, () => 'second')
  expect(await isPending(second)).toBe(true)
  end()
  await first
  expect(await second).toBe('second')
})

test('the opening mutex of another thread of this process is waited for', async () => {
  const directory = scratchDirectory()
  const path = leaveMutex(directory, `${await nameOfThisProcess()} a`)
  const attempt = underOpeningMutex(directory, () => 'taken')
  expect(await isPending(attempt)).toBe(true)
  rmSync(path)
  expect(await attempt).toBe('taken')
})

test.runIf(process.platform === 'linux')(
  'the opening mutex of a dead process whose number is in use again is taken over at once',
  async () => {
    const directory = scratchDirectory()
    for (const pid of [process.pid, process.ppid]) {
      leaveMutex(directory, `${pid} 1 a`)
      const attempt = underOpeningMutex(directory, () => 'taken')
      expect(await isPending(attempt)).toBe(false)
    }
  },
)

test('the opening mutex of a process that stands still is taken over after 5 s', async () => {
  const directory = scratchDirectory()
  const name = await nameOfThisProcess()
  const path = leaveMutex(directory, `${name} a`, 4_000)
  expect(await isPending(underOpeningMutex(directory, () => {}))).toBe(true)
  leaveMutex(directory, `${name} a`, 6_000)
  expect(await underOpeningMutex(directory, () => existsSync(path))).toBe(true)
  expect(existsSync(path)).toBe(false)
})

test('the opening mutex of a thread or process that was ending is taken over after half a second', async () => {
  const directory = scratchDirectory()
  mkdirSync(directory)
  holdOpeningMutexForGood(directory)
  const path = join(directory, 'stackquery-cache.opening')
  const holder = readFileSync(path, 'utf8')
  expect(holder.startsWith(await nameOfThisProcess())).toBe(true)
  leaveMutex(directory, holder, 600)
  expect(await isPending(underOpeningMutex(directory, () => {}))).toBe(false)
})

test('the opening mutex of another process is left alone by one that was overtaken', async () => {
  const directory = scratchDirectory()
  mkdirSync(directory)
  let path = ''
  await underOpeningMutex(directory, () => {
    path = leaveMutex(directory, `${process.ppid} 1 a`)
  })
  expect(existsSync(path)).toBe(true)
})

test('the opening mutex is let go where what it guards throws', async () => {
  const directory = scratchDirectory()
  mkdirSync(directory)
  const attempt = underOpeningMutex(directory, () => {
    throw new Error('no room')
  })
  await expect(attempt).rejects.toThrow('no room')
  expect(readdirSync(directory)).toEqual([])
})

test('no flush of the file is under way when the last one asked for has ended', async () => {
  const directory = scratchDirectory()
  mkdirSync(directory)
  const lmdb = await loadLmdb()
  const lock = new WriteLock(lmdb, directory, new TransactionGate(createGateWord()))
  const stores = openStores(lmdb, directory, false)
  const marker = new FlushMarker(directory, lock)
  lock.run(() => stores.root.transactionSync(() => marker.set()))
  let isUnderWay = true
  const first = marker.settle(stores).finally(() => {
    isUnderWay = false
  })
  // As another process does that has flushed it.
  rmSync(join(directory, 'stackquery-cache.unflushed'))
  await marker.settle(stores)
  const wasUnderWay = isUnderWay
  await first
  await Promise.all([stores.root.close(), lock.close()])
  expect(wasUnderWay).toBe(false)
})
