import { expect, test } from 'vitest'
import { Driver, newPath, openRaw, openStorage, startChild, until } from './setting.ts'

const OTHER_BOOT = '00000000-0000-0000-0000-000000000000'

function markOf(path: string): string {
  const raw = openRaw(path)
  const { value } = raw.prepare("SELECT value FROM meta WHERE name = 'boot'").get() as { value: string }
  raw.close()
  return value
}

/** As if the machine had been started again since the last write. */
function reboot(path: string): void {
  const raw = openRaw(path)
  const mark = markOf(path)
  if (mark !== 'flushed') {
    raw.prepare("UPDATE meta SET value = ? WHERE name = 'boot'").run(mark.replace(/^[^!]*/, OTHER_BOOT))
  }
  raw.close()
}

async function killedWriter(path: string): Promise<void> {
  const writer = startChild('writer', [path, 'k'])
  await writer.line()
  writer.process.kill('SIGKILL')
  await writer.ended
}

test('a file that was not flushed when the machine went down is begun anew, and that is said', async () => {
  const path = newPath()
  await killedWriter(path)
  expect(markOf(path)).not.toBe('flushed')
  reboot(path)
  const storage = openStorage({ path })
  expect(await storage.get('k0')).toBe(null)
  expect(storage.warnings).toEqual([
    expect.stringMatching(/went down before it was flushed; it is begun anew/),
  ])
  await storage.set('a', '1')
  expect(await storage.get('a')).toBe('1')
})

test('of several processes that find such a file, all use the new one', async () => {
  const path = newPath()
  await killedWriter(path)
  reboot(path)
  const writers = ['a', 'b', 'c', 'd'].map((prefix) => startChild('writer', [path, prefix, '200']))
  for (const writer of writers) expect(await writer.line(), writer.errors()).toBe('done')
  const storage = openStorage({ path })
  for (const prefix of ['a', 'b', 'c', 'd']) expect(await storage.get(`${prefix}199`)).not.toBe(null)
  expect(await storage.get('k0')).toBe(null)
})

test('in the same boot a killed process costs nothing', async () => {
  const path = newPath()
  await killedWriter(path)
  const storage = openStorage({ path })
  expect(await storage.get('k0')).not.toBe(null)
  expect(storage.warnings).toEqual([])
})

test('a file that was closed is kept', async () => {
  const path = newPath()
  const first = openStorage({ path })
  await first.set('a', '1')
  expect(markOf(path)).not.toBe('flushed')
  await first.close()
  expect(markOf(path)).toBe('flushed')
  reboot(path)
  const second = openStorage({ path })
  expect(await second.get('a')).toBe('1')
  await second.lease.acquire('lease', 1_000)
  await second.feed.append(['message'])
  expect(markOf(path)).toBe('flushed')
  await second.add('b', '2')
  expect(markOf(path)).not.toBe('flushed')
})

test('a file that was left alone for a while is flushed, also one whose writer was killed', async () => {
  const path = newPath()
  await killedWriter(path)
  const storage = openStorage({ path })
  await until(() => markOf(path) === 'flushed')
  await storage.set('a', '1')
  expect(markOf(path)).not.toBe('flushed')
  await until(() => markOf(path) === 'flushed')
})

test('one that was written without waiting for the disk is never taken for flushed', async () => {
  const path = newPath()
  const storage = openStorage({ path, driver: Driver })
  await storage.set('a', '1')
  await storage.close()
  await openStorage({ path }).close()
  expect(markOf(path)).not.toBe('flushed')
  reboot(path)
  expect(await openStorage({ path }).get('a')).toBe(null)
})
