import { expect, test } from 'vitest'
import { collect, newPath, openRaw, openStorage, startChild } from './setting.ts'

/** `SIGKILLS=50 npx vitest run test/storages/sqlite/processes.test.ts` for the long run. */
const KILLS = Number(process.env['SIGKILLS'] ?? 10)
const ENTRIES = 2_000

test('several processes write to one file and lose nothing', async () => {
  const path = newPath()
  const writers = ['a', 'b', 'c', 'd'].map((prefix) => startChild('writer', [path, prefix, String(ENTRIES)]))
  for (const writer of writers) expect(await writer.line(), writer.errors()).toBe('done')
  for (const writer of writers) expect(await writer.ended).toBe(0)

  const storage = openStorage({ path })
  const expected = ['a', 'b', 'c', 'd'].flatMap((prefix) =>
    Array.from({ length: ENTRIES }, (_, i) => `${prefix}${i}`),
  )
  expect((await collect(storage.keys(''))).sort()).toEqual(expected.sort())
  expect((await storage.getMany(expected)).every((value) => value !== null)).toBe(true)
})

test('a write that has resolved is read by another process, a delete too', async () => {
  const path = newPath()
  const storage = openStorage({ path })
  await storage.set('key', 'of the parent')
  const child = startChild('visit', [path])
  expect(JSON.parse(await child.line())).toEqual({ written: {}, read: { value: 'value' } })
  expect(await storage.get('key')).toBe('value')
  await storage.delete('key')
  expect(openRaw(path).prepare('SELECT count(*) AS n FROM entry').get()).toEqual({ n: 0 })
})

test('while another process holds the lock, reads go on, and a write waits off the event loop', async () => {
  const path = newPath()
  const storage = openStorage({ path })
  await storage.set('key', 'old')
  const holder = startChild('lock', [path])
  expect(await holder.line()).toBe('locked')

  let isSettled = false
  const write = storage.set('key', 'new').finally(() => {
    isSettled = true
  })
  for (let turn = 0; turn < 20; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 1))
    expect(await storage.get('key')).toBe('new')
    expect(await storage.get('absent')).toBe(null)
  }
  expect(isSettled).toBe(false)
  holder.tell('release')
  await write
  expect(await storage.get('key')).toBe('new')
})

test('a process with an open, idle storage exits by itself', async () => {
  const child = startChild('visit', [newPath()])
  await child.line()
  expect(await child.ended).toBe(0)
  expect(child.errors()).toBe('')
})

test(`SIGKILL during a burst of writes, ${KILLS} times: nothing acknowledged is lost, every value is whole`, {
  timeout: 60_000 + KILLS * 5_000,
}, async () => {
  const path = newPath()
  const survivor = openStorage({ path })
  await survivor.set('bystander', 'b')
  for (let kill = 0; kill < KILLS; kill++) {
    const prefix = `k${kill}:`
    const writer = startChild('writer', [path, prefix])
    let acknowledged = Number(await writer.line())
    for (let more = kill % 5; more > 0; more--) acknowledged = Number(await writer.line())
    // In the middle of whatever it is doing by now.
    writer.process.kill('SIGKILL')
    expect(await writer.ended).toBe('SIGKILL')

    const raw = openRaw(path)
    expect(raw.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' })
    raw.close()
    const keys = await collect(survivor.keys(prefix))
    expect(keys.length).toBeGreaterThanOrEqual(acknowledged)
    const values = await survivor.getMany(keys)
    for (const [i, key] of keys.entries()) {
      expect(values[i]).toBe(`${key.slice(prefix.length)}:`.repeat(200))
    }
    await survivor.set(`after ${kill}`, 'v')
    await survivor.deleteMany(keys)
  }
  expect(survivor.warnings).toEqual([])
})

test('SIGKILL of the only process leaves a log from which the next one goes on', async () => {
  const path = newPath()
  const writer = startChild('writer', [path, 'k'])
  const acknowledged = Number(await writer.line())
  writer.process.kill('SIGKILL')
  await writer.ended
  const storage = openStorage({ path })
  expect(await storage.get(`k${acknowledged - 1}`)).toBe(`${acknowledged - 1}:`.repeat(200))
  expect(storage.warnings).toEqual([])
})
