/** The change feed: an ordered log, heard whole or told as a gap. May import the suite's own modules. */

import type { ChangeFeed } from '../../ports/storage.ts'
import { ok, sameList } from './assert.ts'
import type { SuiteTest } from './suite-context.ts'

interface Heard {
  readonly messages: string[]
  readonly gaps: string[]
  stop(): void
}

async function follow(feed: ChangeFeed): Promise<Heard> {
  const messages: string[] = []
  const gaps: string[] = []
  const stop = await feed.follow(
    (batch) => messages.push(...batch),
    (reason) => gaps.push(reason),
  )
  return { messages, gaps, stop }
}

const range = (count: number) => Array.from({ length: count }, (_, index) => index)

export const feedTests: readonly SuiteTest[] = [
  {
    name: 'feed: every follower hears what is appended after it began, in order, from any handle',
    needs: ['feed'],
    run: async (context) => {
      const other = await context.other()
      await context.storage.feed.append(['before'])
      const here = await follow(context.storage.feed)
      const there = await follow(other.feed)
      await context.storage.feed.append(['1', '2'])
      await other.feed.append(['3'])
      await context.storage.feed.append([])
      await context.storage.feed.append(['4', '5', '6'])
      for (const heard of [here, there]) {
        await context.eventually(() => heard.messages.includes('6'))
        sameList(heard.messages, ['1', '2', '3', '4', '5', '6'], 'messages')
        sameList(heard.gaps, [], 'gaps')
        heard.stop()
      }
    },
  },
  {
    name: 'feed: messages come as they were, of any characters and length',
    needs: ['feed'],
    run: async (context) => {
      const sent = ['', ' ', '{"k":["a",1]}', 'a\nb\0c', '漢字 🦊', "'; --", 'x'.repeat(50_000), 'end']
      const heard = await follow(context.storage.feed)
      await context.storage.feed.append(sent)
      await context.eventually(() => heard.messages.includes('end') || heard.gaps.length > 0)
      sameList(heard.messages, sent, 'messages')
      heard.stop()
    },
  },
  {
    name: 'feed: all followers hear parallel appends in one order, each once',
    needs: ['feed'],
    run: async (context) => {
      const other = await context.other()
      const followers = [await follow(context.storage.feed), await follow(other.feed)]
      await Promise.all(
        range(100).map(async (index) =>
          (index % 2 === 0 ? context.storage : other).feed.append([`${index}`]),
        ),
      )
      await context.storage.feed.append(['end'])
      const [first, second] = followers as [Heard, Heard]
      await context.eventually(() => followers.every((heard) => heard.messages.includes('end')))
      sameList(second.messages, first.messages, 'the second follower')
      sameList([...first.messages].sort(), [...range(100).map(String), 'end'].sort(), 'all messages')
      for (const heard of followers) heard.stop()
    },
  },
  {
    name: 'feed: one that has stopped hears no more, and stopping twice is no error',
    needs: ['feed'],
    run: async (context) => {
      const stopped = await follow(context.storage.feed)
      const going = await follow(context.storage.feed)
      await context.storage.feed.append(['1'])
      await context.eventually(() => stopped.messages.length > 0 && going.messages.length > 0)
      stopped.stop()
      stopped.stop()
      await context.storage.feed.append(['2'])
      await context.eventually(() => going.messages.includes('2'))
      sameList(stopped.messages, ['1'], 'messages of the stopped')
      going.stop()
    },
  },
  {
    name: 'feed: one that was left and followed again starts from now',
    needs: ['feed'],
    run: async (context) => {
      const first = await follow(context.storage.feed)
      first.stop()
      await context.storage.feed.append(['missed'])
      const second = await follow(context.storage.feed)
      await context.storage.feed.append(['heard'])
      await context.eventually(() => second.messages.includes('heard'))
      sameList(second.messages, ['heard'], 'messages')
      second.stop()
    },
  },
  {
    name: 'feed: one with a heartbeat says how old its knowledge is, also when nothing happens',
    needs: ['feed'],
    run: async (context) => {
      const { feed } = context.storage
      if (feed.heartbeat === undefined) return
      ok(feed.heartbeat > 0, `a heartbeat of ${feed.heartbeat} ms`)
      const ages: number[] = []
      const ignore = () => {}
      const stop = await feed.follow(ignore, ignore, (age) => ages.push(age))
      await context.eventually(() => ages.length > 0)
      ok(
        ages.every((age) => age >= 0),
        `ages of ${ages.join(', ')} ms`,
      )
      stop()
    },
  },
  {
    name: 'feed: lost messages are told as a gap, and the follower goes on',
    needs: ['feed', 'loseFeed'],
    run: async (context) => {
      const heard = await follow(context.storage.feed)
      await context.subject.loseFeed?.()
      await context.eventually(async () => {
        await context.storage.feed.append(['nudge'])
        return heard.gaps.length > 0
      })
      ok(
        heard.gaps.every((reason) => typeof reason === 'string' && reason !== ''),
        'a gap has no reason',
      )
      await context.storage.feed.append(['end'])
      await context.eventually(() => heard.messages.includes('end'))
      heard.stop()
    },
  },
  {
    name: 'feed: a follower whose connection was cut resumes where it was, or tells a gap',
    needs: ['feed', 'cutFeed', 'reopen'],
    run: async (context) => {
      const other = await context.reopen()
      const heard = await follow(context.storage.feed)
      await other.feed.append(['1'])
      await context.eventually(() => heard.messages.includes('1'))
      await context.subject.cutFeed?.()
      let sent = 1
      await context.eventually(async () => {
        sent += 1
        await Promise.resolve(other.feed.append([`${sent}`])).catch(() => {
          sent -= 1
        })
        return heard.messages.length > 3 || heard.gaps.length > 0
      })
      if (heard.gaps.length === 0) {
        await context.eventually(() => heard.messages.includes(`${sent}`))
        sameList(
          heard.messages,
          range(sent).map((index) => `${index + 1}`),
          'messages',
        )
      }
      heard.stop()
    },
  },
]
