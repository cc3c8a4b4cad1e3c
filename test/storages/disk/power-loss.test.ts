import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { audit } from './audit.ts'
import { openStorage, scratchDirectory, startChild, until } from './scratch.ts'

const OTHER_BOOT = '00000000-0000-0000-0000-000000000000'

function logs() {
  const messages: string[] = []
  const log = (text: string) => messages.push(text)
  return { messages, logger: { warn: log, error: log } }
}

test('a cache that was not flushed when the machine went down is begun anew, and that is said', async () => {
  const directory = scratchDirectory()
  const marker = join(directory, 'stackquery-cache.unflushed')
  const child = startChild('burst', directory, 'a')
  await child.line('1')
  child.process.kill('SIGKILL')
  await child.ended
  expect(existsSync(marker)).toBe(true)
  writeFileSync(marker, OTHER_BOOT)
  const { messages, logger } = logs()
  const storage = openStorage({ directory, logger })
  expect(await storage.get('a:0:0')).toBeUndefined()
  expect(messages).toEqual([expect.stringMatching(/went down before the disk cache .* was flushed/)])
  await storage.set('b', '1')
  expect(await storage.get('b')).toBe('1')
  await storage.close()
  expect(await audit(directory)).toEqual([])
})

test('a cache that was closed, or left alone for a while, is flushed and kept', async () => {
  const directory = scratchDirectory()
  const marker = join(directory, 'stackquery-cache.unflushed')
  const first = openStorage({ directory })
  await first.set('a', '1')
  expect(existsSync(marker)).toBe(true)
  await first.close()
  expect(existsSync(marker)).toBe(false)
  const second = openStorage({ directory })
  await second.set('b', '2')
  await until(() => !existsSync(marker))
  await second.set('c', '3')
  expect(existsSync(marker)).toBe(true)
  expect(await second.getMany(['a', 'b', 'c'])).toEqual(['1', '2', '3'])
})
