import { describe, expect, it } from 'vitest'
import { InvalidOptionError } from '../../src/errors.ts'
import type { StorageBackend } from '../../src/ports/storage.ts'
import { MemoryStorage } from '../../src/storages/memory/index.ts'
import { type StorageSubject, storageSuite, storageSuiteTests } from '../../src/testing/index.ts'

const everything = [
  'getMany',
  'setMany',
  'deleteMany',
  'add',
  'keys',
  'feed',
  'lease',
  'renew',
  'close',
  'reopen',
  'loseFeed',
  'cutFeed',
] as const

/** Runs the suite, or one test of it, over what `create` opens; the names of the tests that fail. */
async function failures(
  create: () => StorageSubject,
  capabilities: readonly (typeof everything)[number][],
  only?: string,
) {
  const tests: [string, () => Promise<void>][] = []
  const test = (name: string, run: () => Promise<void>) => {
    if (only === undefined || name === only) tests.push([name, run])
  }
  storageSuite({ test, create, capabilities, deadline: only === undefined ? 15_000 : 1_000 })
  const failed = await Promise.all(
    tests.map(([name, run]) =>
      run().then(
        () => [],
        () => [name],
      ),
    ),
  )
  return failed.flat()
}

type Mutation = (storage: MemoryStorage) => Partial<StorageBackend>

/** The whole storage but for what the mutation replaces, on every handle. */
function broken(mutation: Mutation): () => StorageSubject {
  return () => {
    const memory = new MemoryStorage()
    const wrap = (inner: MemoryStorage): StorageBackend => {
      const bound: StorageBackend = {
        get: (key) => inner.get(key),
        set: (key, value, ttl) => inner.set(key, value, ttl),
        delete: (key) => inner.delete(key),
        getMany: (keys) => inner.getMany(keys),
        setMany: (entries) => inner.setMany(entries),
        deleteMany: (keys) => inner.deleteMany(keys),
        add: (key, value, ttl) => inner.add(key, value, ttl),
        keys: (prefix) => inner.keys(prefix),
        feed: inner.feed,
        lease: inner.lease,
        close: () => inner.close(),
      }
      return { ...bound, ...mutation(inner) }
    }
    return {
      storage: wrap(memory),
      reopen: () => wrap(memory.connect()),
      loseFeed: () => memory.clear(),
      cutFeed: () => {},
    }
  }
}

const utf8 = (text: string) => new TextDecoder().decode(new TextEncoder().encode(text))

const mutations: Record<string, [Mutation, string]> = {
  'a falsy value is a miss': [
    (inner) => ({ get: async (key) => (await inner.get(key)) || null }),
    'value: the empty string is a value, not a miss',
  ],
  'values go through UTF-8': [
    (inner) => ({ set: (key, value, ttl) => inner.set(key, utf8(value), ttl) }),
    'value: lone surrogates',
  ],
  'a BOM is stripped': [
    (inner) => ({ set: (key, value, ttl) => inner.set(key, value.replace(/^\ufeff/, ''), ttl) }),
    'value: NUL characters and byte order marks',
  ],
  'JSON is parsed on the way out': [
    (inner) => ({
      get: async (key) => {
        const value = await inner.get(key)
        try {
          return JSON.parse(value ?? '') as string
        } catch {
          return value
        }
      },
    }),
    'value: strings that look like something else',
  ],
  'a missing key rejects': [
    (inner) => ({
      delete: async (key) => {
        if ((await inner.get(key)) === null) throw new Error('no such key')
        await inner.delete(key)
      },
    }),
    'value: a deleted one is gone, and deleting what is not there is no error',
  ],
  'a fraction truncates to 0, which means none': [
    (inner) => ({ set: (key, value, ttl) => inner.set(key, value, Math.trunc(ttl ?? 0) || undefined) }),
    'ttl: a fraction rounds up, never to none and never to 0',
  ],
  'zero means none': [
    (inner) => ({ set: (key, value, ttl) => inner.set(key, value, ttl && ttl > 0 ? ttl : undefined) }),
    'ttl: zero or below has run out already, and does not leave what was there before',
  ],
  'ttl overflows 31 bits': [
    (inner) => ({ set: (key, value, ttl) => inner.set(key, value, ttl === undefined ? ttl : ttl | 0) }),
    'ttl: huge ones and Infinity neither fail nor overflow',
  ],
  'ttl is ignored': [
    (inner) => ({ set: (key, value) => inner.set(key, value) }),
    'ttl: a value is there before it has run out and gone afterwards',
  ],
  'an overwrite keeps the old ttl': [
    (inner) => {
      const ttls = new Map<string, number>()
      return {
        set: (key, value, ttl) => {
          if (ttl !== undefined) ttls.set(key, ttl)
          return inner.set(key, value, ttls.get(key))
        },
      }
    },
    'ttl: an overwrite without one takes the old one away',
  ],
  'setMany takes one ttl for all': [
    (inner) => ({
      setMany: (entries) => inner.setMany(entries.map(({ key, value }) => ({ key, value, ttl: 3_600_000 }))),
    }),
    'ttl: each entry of setMany has its own',
  ],
  'getMany answers what it found, without the holes': [
    (inner) => ({ getMany: async (keys) => (await inner.getMany(keys)).filter((value) => value !== null) }),
    'batch: getMany keeps the order, with missing and repeated keys in their places',
  ],
  'setMany lets the first of a repeated key win': [
    (inner) => ({ setMany: (entries) => inner.setMany([...entries].reverse()) }),
    'batch: setMany writes all, and of a repeated key the last',
  ],
  'keys ignore case': [
    (inner) => ({
      get: (key) => inner.get(key.toLowerCase()),
      set: (key, value, ttl) => inner.set(key.toLowerCase(), value, ttl),
    }),
    'key: any characters make a key of its own',
  ],
  'keys are cut at 255': [
    (inner) => ({
      get: (key) => inner.get(key.slice(0, 255)),
      set: (key, value, ttl) => inner.set(key.slice(0, 255), value, ttl),
    }),
    'key: up to 512 characters',
  ],
  'the prefix is a pattern': [
    (inner) => ({
      keys: async function* (prefix) {
        const pattern = new RegExp(`^${prefix.replace(/[\\[\]?()+.^$|]/g, '\\$&').replace(/\*/g, '.*')}`)
        for await (const key of inner.keys('')) if (pattern.test(key)) yield key
      },
    }),
    'keys: the prefix is taken literally',
  ],
  'a follower hears what came before it': [
    (inner) => ({
      feed: {
        append: (messages) => inner.feed.append(messages),
        follow: async (onMessages, onGap) => {
          onMessages(['before'])
          return inner.feed.follow(onMessages, onGap)
        },
      },
    }),
    'feed: every follower hears what is appended after it began, in order, from any handle',
  ],
  'a gap is not told': [
    (inner) => ({
      feed: {
        append: (messages) => inner.feed.append(messages),
        follow: (onMessages) => inner.feed.follow(onMessages, () => {}),
      },
    }),
    'feed: lost messages are told as a gap, and the follower goes on',
  ],
  'what came during a cut is lost without a word': [
    (inner) => {
      let heard = 0
      return {
        feed: {
          append: (messages) => inner.feed.append(messages),
          follow: (onMessages, onGap) =>
            inner.feed.follow((messages) => {
              heard += 1
              if (heard !== 2) onMessages(messages)
            }, onGap),
        },
      }
    },
    'feed: a follower whose connection was cut resumes where it was, or tells a gap',
  ],
  'a heartbeat is promised and never comes': [
    (inner) => ({
      feed: {
        heartbeat: 10,
        append: (messages) => inner.feed.append(messages),
        follow: (onMessages, onGap) => inner.feed.follow(onMessages, onGap),
      },
    }),
    'feed: one with a heartbeat says how old its knowledge is, also when nothing happens',
  ],
  'stopping does not stop': [
    (inner) => ({
      feed: {
        append: (messages) => inner.feed.append(messages),
        follow: async (onMessages, onGap) => {
          await inner.feed.follow(onMessages, onGap)
          return () => {}
        },
      },
    }),
    'feed: one that has stopped hears no more, and stopping twice is no error',
  ],
  'a lease is given to everyone': [
    () => ({ lease: { acquire: async () => 'token', renew: async () => true, release: async () => {} } }),
    'lease: of many who ask at once, through any handle, one gets it',
  ],
  'any token gives a lease up': [
    (inner) => {
      const tokens = new Map<string, string>()
      return {
        lease: {
          acquire: async (key, ttl) => {
            const token = await inner.lease.acquire(key, ttl)
            if (token !== null) tokens.set(key, token)
            return token
          },
          renew: inner.lease.renew!,
          release: async (key) => inner.lease.release(key, tokens.get(key) ?? ''),
        },
      }
    },
    'lease: a wrong token gives nothing up',
  ],
  'a lease never runs out': [
    (inner) => ({
      lease: {
        acquire: (key) => inner.lease.acquire(key, Infinity),
        renew: inner.lease.renew!,
        release: (key, token) => inner.lease.release(key, token),
      },
    }),
    'lease: runs out, and its old token is then a wrong one',
  ],
  'renewing does nothing': [
    (inner) => ({ lease: { ...inner.lease, renew: async () => true } }),
    'lease: renewed, it lasts from then on; by a wrong token, or once it is gone, it is not',
  ],
  'renewing adds to what is left': [
    (inner) => ({
      lease: { ...inner.lease, renew: (key, token, ttl) => inner.lease.renew!(key, token, ttl + 3_600_000) },
    }),
    'lease: renewed, it lasts from then on; by a wrong token, or once it is gone, it is not',
  ],
  'a renewal gives a lease up that has long to go': [
    (inner) => ({
      lease: {
        ...inner.lease,
        renew: async (key, token, ttl) => {
          const isHeld = await inner.lease.renew!(key, token, ttl)
          if (isHeld && ttl > 1_000_000) await inner.lease.release(key, token)
          return isHeld
        },
      },
    }),
    'lease: renewed in time it does not run out',
  ],
  'add overwrites': [
    (inner) => ({
      add: async (key, value, ttl) => {
        const isStored = await inner.add(key, value, ttl)
        await inner.set(key, value, ttl)
        return isStored
      },
    }),
    'add: stores what is not there, and leaves what is',
  ],
  'add looks first and stores later': [
    (inner) => ({
      add: async (key, value, ttl) => {
        if ((await inner.get(key)) !== null) return false
        await inner.set(key, value, ttl)
        return true
      },
    }),
    'add: of many who add at once, through any handle, one stores, and all see its value',
  ],
  'add forgets its ttl': [
    (inner) => ({ add: (key, value) => inner.add(key, value) }),
    'add: its ttl counts, and what has run out is not there',
  ],
  'add gives its ttl to what is there': [
    (inner) => ({
      add: async (key, value, ttl) => {
        const isStored = await inner.add(key, value, ttl)
        if (!isStored) await inner.set(key, (await inner.get(key)) ?? '', ttl)
        return isStored
      },
    }),
    'add: a refused one does not touch the ttl',
  ],
  'add overtakes what was begun before it': [
    (inner) => ({
      set: async (key, value, ttl) => {
        await new Promise((resolve) => setTimeout(resolve, 1))
        await inner.set(key, value, ttl)
      },
    }),
    'add: in step with sets and deletes that were begun before it',
  ],
  'closing twice rejects': [
    (inner) => {
      let isClosed = false
      return {
        close: async () => {
          if (isClosed) throw new Error('already closed')
          isClosed = true
          await inner.close()
        },
      }
    },
    'close: may be called again, also at the same time',
  ],
  'operations hang after close': [
    (inner) => {
      let isClosed = false
      return {
        get: (key) => (isClosed ? new Promise<never>(() => {}) : inner.get(key)),
        close: async () => {
          isClosed = true
          await inner.close()
        },
      }
    },
    'close: every operation afterwards is rejected and does not hang',
  ],
  'closing does nothing': [
    () => ({ close: async () => {} }),
    'close: every operation afterwards is rejected and does not hang',
  ],
}

describe.concurrent('the conformance suite', () => {
  it.each(Object.entries(mutations))('catches a storage where %s', async (_, [mutation, name]) => {
    expect(storageSuiteTests).toContain(name)
    expect(await failures(broken(mutation), everything, name)).toEqual([name])
  })

  it('finds nothing wrong in a storage where nothing is broken', async () => {
    expect(
      await failures(
        broken(() => ({})),
        everything,
      ),
    ).toEqual([])
  })

  it('tells capabilities that are there but not declared, and the other way round', async () => {
    const create = broken(() => ({}))
    const name = 'capabilities: exactly those that were declared'
    expect(await failures(create, everything.slice(1))).toEqual([name])
    const bare = () => ({ storage: { get: () => null, set: () => {}, delete: () => {} } })
    expect(await failures(bare, ['close'])).toContain(name)
  })

  it('lists skips with their reasons, and refuses those of unknown tests or without one', () => {
    const run: string[] = []
    const skipped: string[] = []
    const test = Object.assign((name: string) => run.push(name), {
      skip: (name: string) => skipped.push(name),
    })
    const create = () => ({ storage: new MemoryStorage() })
    const skip = { 'value: lone surrogates': 'UTF-8 only' }
    expect(storageSuite({ test, create, skip })).toEqual(skip)
    expect(skipped).toEqual(['value: lone surrogates (skipped: UTF-8 only)'])
    expect(run).not.toContain('value: lone surrogates')
    const told: string[] = []
    storageSuite({ test: () => {}, create, skip, onSkip: (name, reason) => told.push(`${name}: ${reason}`) })
    expect(told).toEqual(['value: lone surrogates: UTF-8 only'])
    expect(() => storageSuite({ test, create, skip: { 'value: none': 'x' } })).toThrow(InvalidOptionError)
    expect(() => storageSuite({ test, create, skip: { 'value: lone surrogates': ' ' } })).toThrow('a reason')
  })
})
