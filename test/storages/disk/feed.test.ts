import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { countRows } from './audit.ts'
import { openStorage, scratchDirectory, startChild, until } from './scratch.ts'

const range = (count: number) => Array.from({ length: count }, (_, index) => `${index}`)

async function follow(storage: ReturnType<typeof openStorage>) {
  const messages: string[] = []
  const gaps: string[] = []
  const stop = await storage.feed.follow(
    (batch) => messages.push(...batch),
    (reason) => gaps.push(reason),
  )
  return { messages, gaps, stop }
}

test('another process hears in order what is appended, also in more than one batch', async () => {
  const directory = scratchDirectory()
  const storage = openStorage({ directory })
  const child = startChild('follow', directory, 'wait')
  await child.line('following')
  const sent = range(1_500)
  await storage.feed.append(sent)
  await child.line('1499')
  expect(child.lines.slice(1)).toEqual(sent)
})

test('a follower that was suspended goes on from its position, or hears of a gap where the log was trimmed', async () => {
  const directory = scratchDirectory()
  const storage = openStorage({ directory, feedLength: 100 })
  const child = startChild('follow', directory, 'wait')
  await child.line('following')

  child.process.kill('SIGSTOP')
  await storage.feed.append(['a', 'b'])
  child.process.kill('SIGCONT')
  await child.line('b')
  expect(child.lines.slice(1)).toEqual(['a', 'b'])

  child.process.kill('SIGSTOP')
  for (const message of range(30)) await storage.feed.append(Array(10).fill(message))
  child.process.kill('SIGCONT')
  await child.line('gap: n messages were trimmed unread')
  await storage.feed.append(['end'])
  await child.line('end')
  expect(child.lines.slice(3)).toEqual(['gap: n messages were trimmed unread', 'end'])
})

test('a process that only follows exits by itself', async () => {
  const child = startChild('follow', scratchDirectory())
  expect(await child.ended).toBe(0)
  expect(child.lines).toEqual(['following'])
})

test('SIGKILL of those who append leaves a log without holes', async () => {
  const directory = scratchDirectory()
  const storage = openStorage({ directory, feedLength: 1_000_000 })
  const heard = await follow(storage)
  const names = ['a', 'b', 'c']
  const children = names.map((name) => startChild('append', directory, name))
  for (const child of children) {
    await child.line('200')
    child.process.kill('SIGKILL')
    await child.ended
  }
  await storage.feed.append(['end'])
  await until(() => heard.messages.includes('end'))
  expect(heard.gaps).toEqual([])
  for (const [index, name] of names.entries()) {
    const numbers = heard.messages.filter((message) => message.startsWith(name))
    expect(numbers.length).toBeGreaterThanOrEqual(Number(children[index]!.lines.at(-1)))
    expect(numbers).toEqual(range(numbers.length).map((number) => name + number))
  }
})

test('the log keeps its newest messages, and loses the others a few at a time', async () => {
  const directory = scratchDirectory()
  const storage = openStorage({ directory, feedLength: 50 })
  for (let round = 0; round < 40; round++) await storage.feed.append(range(10))
  await storage.close()
  expect(await countRows(directory, 'messages')).toBe(50)
})

test('sizeLimit: the log takes an eighth of it at most, and does not push all entries out', async () => {
  const directory = scratchDirectory()
  const storage = openStorage({ directory, sizeLimit: 1024 ** 2 })
  await storage.set('bystander', 'v', 3_600_000)
  for (let round = 0; round < 100; round++) await storage.feed.append(range(20).map((n) => n.repeat(1_000)))
  expect(await storage.get('bystander')).toBe('v')
  await storage.close()
  const count = await countRows(directory, 'messages')
  expect(count).toBeGreaterThan(50)
  expect(count).toBeLessThan(132)
})

test('long messages come whole, whatever their characters', async () => {
  const directory = scratchDirectory()
  const storage = openStorage({ directory })
  const heard = await follow(storage)
  const sent = ['a'.repeat(200_000), 'é'.repeat(100_000), `\ud800${'漢'.repeat(50_000)}`, 'end']
  await storage.feed.append(sent)
  await until(() => heard.messages.includes('end'))
  expect(heard.messages).toEqual(sent)
})

test('a message that is too large for the log is told as a gap', async () => {
  const storage = openStorage({ sizeLimit: 1024 ** 2 })
  const heard = await follow(storage)
  await storage.feed.append(['x'.repeat(200_000)])
  await until(() => heard.gaps.length > 0)
  await storage.feed.append(['end'])
  await until(() => heard.messages.includes('end'))
  expect(heard.messages).toEqual(['end'])
})

test('a directory that was deleted and begun anew is a gap, and following goes on', async () => {
  const directory = scratchDirectory()
  const storage = openStorage({ directory })
  await storage.feed.append(range(10))
  const heard = await follow(storage)
  rmSync(directory, { recursive: true })
  await openStorage({ directory }).feed.append(range(20))
  await until(() => heard.gaps.length > 0)
  expect(heard.gaps).toEqual(['the file was replaced'])
  await openStorage({ directory }).feed.append(['end'])
  await until(() => heard.messages.includes('end'))
})

test('a follower is told, also while nothing is appended, that it has heard everything', async () => {
  const storage = openStorage({})
  const ages: number[] = []
  await storage.feed.follow(
    () => {},
    () => {},
    (age) => ages.push(age),
  )
  await until(() => ages.length > 3)
  expect(storage.feed.heartbeat).toBeGreaterThan(0)
  expect(ages.filter((age) => age < 0)).toEqual([])
})

test('where the bell is missing, followers find what is new by looking', async () => {
  const directory = scratchDirectory()
  const storage = openStorage({ directory })
  const other = openStorage({ directory })
  await other.set('begun', '1')
  await storage.set('begun', '1')
  rmSync(join(directory, 'stackquery-cache.bell'))
  const heard = await follow(storage)
  await other.feed.append(['1'])
  await until(() => heard.messages.includes('1'))
})
