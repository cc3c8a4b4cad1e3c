import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { underOpeningMutex } from '../../../src/storages/disk/opening-mutex.ts'
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

test('an opening waits for the transaction of another process', async () => {
  const directory = scratchDirectory()
  await begin(directory)
  const holder = startChild('hold-lock', directory, `${directory}.release`)
  await holder.line('held')
  const answer = openStorage({ directory }).get('a')
  expect(await isPending(answer)).toBe(true)
  writeFileSync(`${directory}.release`, '')
  expect(await answer).toBe(undefined)
})

test('a write waits for the opening of another process, a read does not', async () => {
  const directory = scratchDirectory()
  const storage = openStorage({ directory })
  await storage.set('a', '1')
  const holder = startChild('hold-lock', directory, `${directory}.release`)
  await holder.line('held')
  const write = storage.set('b', '2')
  expect(await isPending(write)).toBe(true)
  expect(await storage.get('a')).toBe('1')
  writeFileSync(`${directory}.release`, '')
  await write
  expect(await storage.get('b')).toBe('2')
})

test('the lock of a process that was killed is free', async () => {
  const directory = scratchDirectory()
  const storage = openStorage({ directory })
  await storage.set('a', '1')
  const holder = startChild('hold-lock', directory, `${directory}.release`)
  await holder.line('held')
  const write = storage.set('b', '2')
  holder.process.kill('SIGKILL')
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
  writeFileSync(join(directory, 'stackquery-cache.opening'), String(child.process.pid))
  await begin(directory)
  expect(readdirSync(directory).filter((name) => name.includes('opening'))).toEqual([])
})

test('the opening mutex of a process that stands still is taken over after 5 s', () => {
  const directory = scratchDirectory()
  mkdirSync(directory)
  const path = join(directory, 'stackquery-cache.opening')
  writeFileSync(path, String(process.ppid))
  const longAgo = Date.now() / 1000 - 6
  utimesSync(path, longAgo, longAgo)
  expect(underOpeningMutex(directory, () => existsSync(path))).toBe(true)
  expect(existsSync(path)).toBe(false)
})

test('the opening mutex is let go where what it guards throws', () => {
  const directory = scratchDirectory()
  mkdirSync(directory)
  const attempt = () =>
    underOpeningMutex(directory, () => {
      throw new Error('no room')
    })
  expect(attempt).toThrow('no room')
  expect(readdirSync(directory)).toEqual([])
})
