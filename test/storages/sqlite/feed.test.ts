import { rmSync } from 'node:fs'
import { expect, test } from 'vitest'
import { newPath, openRaw, openStorage, startChild, until } from './setting.ts'

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
  const path = newPath()
  const storage = openStorage({ path })
  const child = startChild('follow', [path, 'wait'])
  expect(await child.line(), child.errors()).toBe('following')
  const sent = range(1_500)
  await storage.feed.append(sent)
  const heard: string[] = []
  while (heard.length < sent.length) heard.push(...(await child.line()).split(' '))
  expect(heard).toEqual(sent)
  child.tell('end')
  expect(await child.ended).toBe(0)
})

test('a follower that was suspended goes on from its position, or hears of a gap where the log was trimmed', async () => {
  const path = newPath()
  const storage = openStorage({ path, feedLength: 100 })
  const child = startChild('follow', [path, 'wait'])
  expect(await child.line(), child.errors()).toBe('following')

  child.process.kill('SIGSTOP')
  await storage.feed.append(['a', 'b'])
  child.process.kill('SIGCONT')
  const heard: string[] = []
  while (heard.length < 2) heard.push(...(await child.line()).split(' '))
  expect(heard).toEqual(['a', 'b'])

  child.process.kill('SIGSTOP')
  for (const message of range(30)) await storage.feed.append(Array(10).fill(message))
  child.process.kill('SIGCONT')
  expect(await child.line()).toMatch(/^gap: \d+ messages were trimmed unread$/)
  await storage.feed.append(['end'])
  expect(await child.line()).toBe('end')
})

test('a process that only follows exits by itself', async () => {
  const child = startChild('follow', [newPath()])
  expect(await child.line(), child.errors()).toBe('following')
  expect(await child.ended).toBe(0)
  expect(child.errors()).toBe('')
})

test('SIGKILL of those who append leaves a log without holes', async () => {
  const path = newPath()
  const storage = openStorage({ path })
  const heard = await follow(storage)
  for (const name of ['a', 'b', 'c']) {
    const child = startChild('append', [path, name])
    await child.line()
    await child.line()
    child.process.kill('SIGKILL')
    await child.ended
  }
  await storage.feed.append(['end'])
  await until(() => heard.messages.includes('end'))
  expect(heard.gaps).toEqual([])
  for (const name of ['a', 'b', 'c']) {
    const numbers = heard.messages.filter((message) => message.startsWith(name))
    expect(numbers.length).toBeGreaterThan(100)
    expect(numbers).toEqual(range(numbers.length).map((number) => name + number))
  }
})

test('the log keeps its newest messages, and loses the others a few at a time', async () => {
  const path = newPath()
  const storage = openStorage({ path, feedLength: 50 })
  for (let round = 0; round < 40; round++) await storage.feed.append(range(10))
  const { n } = openRaw(path).prepare('SELECT count(*) AS n FROM message').get() as { n: number }
  expect(n).toBe(50)
})

test('maxSize: the log takes an eighth of it at most, and does not push all entries out', async () => {
  const path = newPath()
  const storage = openStorage({ path, maxSize: 1024 ** 2 })
  await storage.set('bystander', 'v', 3_600_000)
  for (let round = 0; round < 100; round++) await storage.feed.append(range(20).map((n) => n.repeat(1_000)))
  expect(await storage.get('bystander')).toBe('v')
  const sum = openRaw(path).prepare('SELECT sum(length(text)) AS n FROM message').get() as { n: number }
  expect(sum.n).toBeGreaterThan(100_000)
  expect(sum.n).toBeLessThanOrEqual(1024 ** 2 / 8)
})

test('a message that is too large for the log is told as a gap', async () => {
  const storage = openStorage({ path: newPath(), maxSize: 131_072 })
  const heard = await follow(storage)
  await storage.feed.append(['x'.repeat(20_000)])
  await until(() => heard.gaps.length > 0)
  await storage.feed.append(['end'])
  await until(() => heard.messages.includes('end'))
  expect(heard.messages).toEqual(['end'])
})

test.each(['deleted', 'set aside by hand and begun anew by another process'])(
  'a file that was %s is a gap, and following goes on',
  async (what) => {
    const path = newPath()
    const storage = openStorage({ path })
    await storage.feed.append(range(10))
    const heard = await follow(storage)
    for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })
    if (what !== 'deleted') await openStorage({ path }).feed.append(range(20))
    await until(() => heard.gaps.length > 0)
    expect(heard.gaps).toEqual(['the file was replaced'])
    const other = openStorage({ path })
    await other.feed.append(['end'])
    await until(() => heard.messages.includes('end'))
    expect(heard.messages.at(-1)).toBe('end')
  },
)

test('a follower that throws hinders no other, and is told to the logger', async () => {
  const storage = openStorage({ path: newPath() })
  await storage.feed.follow(
    () => {
      throw new Error('not my day')
    },
    () => {},
  )
  const heard = await follow(storage)
  await storage.feed.append(['1'])
  await until(() => heard.messages.length > 0)
  await storage.feed.append(['2'])
  await until(() => heard.messages.length > 1)
  expect(storage.warnings).toEqual(Array(2).fill(expect.stringContaining('not my day')))
})

test('one that stops within its own callback, or another in its, hears no more', async () => {
  const storage = openStorage({ path: newPath() })
  const heard: string[] = []
  const stops: (() => void)[] = []
  for (const name of ['first', 'second']) {
    const stop = await storage.feed.follow(
      (messages) => {
        heard.push(...messages.map((message) => `${name} ${message}`))
        for (const each of stops) each()
      },
      () => {},
    )
    stops.push(stop)
  }
  await storage.feed.append(['1'])
  await until(() => heard.length > 0)
  const last = await follow(storage)
  await storage.feed.append(['2'])
  await until(() => last.messages.length > 0)
  expect(heard).toEqual(['first 1'])
})

test('while another process holds the write lock, followers hear what is there', async () => {
  const path = newPath()
  const storage = openStorage({ path })
  const other = openStorage({ path })
  const heard = await follow(storage)
  await other.feed.append(['1'])
  const holder = startChild('lock', [path])
  expect(await holder.line()).toBe('locked')
  await until(() => heard.messages.includes('1'))
  const later = await follow(storage)
  const append = other.feed.append(['2'])
  holder.tell('release')
  await append
  await until(() => later.messages.includes('2') && heard.messages.includes('2'))
  expect(later.messages).toEqual(['2'])
})
