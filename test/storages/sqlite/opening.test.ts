import { existsSync, mkdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { newPath, openStorage, startChild, until } from './setting.ts'

test('the file is opened at construction, by the writing thread', async () => {
  const path = newPath()
  openStorage({ path })
  await until(() => existsSync(path))
})

test('one that cannot be opened fails the first operation, and nothing before', async () => {
  const path = newPath()
  mkdirSync(path)
  const storage = openStorage({ path })
  const unhandled: unknown[] = []
  const listen = (reason: unknown) => unhandled.push(reason)
  process.on('unhandledRejection', listen)
  await expect(storage.get('a')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
  await new Promise((resolve) => setImmediate(resolve))
  process.off('unhandledRejection', listen)
  expect(unhandled).toEqual([])
})

test('closing what was never used ends the thread, at whatever moment', async () => {
  for (let turns = 0; turns < 20; turns++) {
    const storage = openStorage({ path: newPath() })
    for (let turn = 0; turn < turns * 3; turn++) await new Promise((resolve) => setImmediate(resolve))
    await storage.close()
    await expect(storage.get('a')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
  }
})

test('a process that only constructs one ends by itself, with or without closing it', async () => {
  for (const what of ['leave', 'close', 'exit']) {
    const child = startChild('construct', [newPath(), what])
    expect(await child.ended, child.errors()).toBe(0)
    expect(child.errors()).toBe('')
  }
})
