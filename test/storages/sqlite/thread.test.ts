import { cpSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { newDirectory, newPath } from './setting.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))

/** A copy of the build, as a bundle leaves it: without the file of the thread. */
async function bundled() {
  const directory = newDirectory()
  cpSync(join(root, 'dist'), join(directory, 'dist'), { recursive: true })
  rmSync(join(directory, 'dist/storages/sqlite/write-thread.js'))
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'))
  const entry = pathToFileURL(join(directory, 'dist/storages/sqlite/index.js')).href
  return (await import(/* @vite-ignore */ entry)) as typeof import('../../../src/storages/sqlite/index.ts')
}

test('where the thread cannot be loaded, writes go on from the calling thread, said once', async () => {
  const { SQLiteStorage } = await bundled()
  const warnings: string[] = []
  const logger = { warn: (message: string) => warnings.push(message) }
  const storage = new SQLiteStorage({ path: newPath(), logger })
  onTestFinished(() => storage.close())
  await Promise.all(Array.from({ length: 3_000 }, (_, i) => storage.set(`k${i}`, `v${i}`)))
  expect(await storage.get('k2999')).toBe('v2999')
  await storage.delete('k0')
  expect(await storage.get('k0')).toBe(null)
  expect(warnings).toEqual([expect.stringContaining('writing thread')])
})

test('on the calling thread, a burst of writes lets the event loop turn in between', async () => {
  const { SQLiteStorage } = await bundled()
  const storage = new SQLiteStorage({ path: newPath(), logger: { warn: () => {} } })
  onTestFinished(() => storage.close())
  await storage.set('warm', 'up')
  let turns = 0
  const timer = setInterval(() => turns++, 0)
  await storage.setMany(Array.from({ length: 3_000 }, (_, i) => ({ key: `k${i}`, value: 'v' })))
  clearInterval(timer)
  expect(turns).toBeGreaterThan(5)
})
