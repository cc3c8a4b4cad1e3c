/** Which keys a read asks L2 for, and that it asks for no fewer than it must. */

import { expect, onTestFinished, test } from 'vitest'
import { type Clock, QueryClient, type StorageBackend } from '../../src/index.ts'

const USER = ['user', 1]
const NAMESPACE = 'sq:n:all'

/** One store; `hold(key)` keeps calls about it from being answered until its result is called. */
function sharedStore() {
  const held = new Map<string, string>()
  const gates = new Map<string, Promise<void>>()
  const calls: string[] = []
  const call = async <T>(what: string, key: string, act: () => T): Promise<T> => {
    calls.push(`${what} ${key}`)
    const result = act()
    await gates.get(`${what} ${key}`)
    // Reads answer with what there is when they are answered.
    return what === 'get' ? act() : result
  }
  /** `ahead`: milliseconds that its monotonic clock is ahead of that of the process. */
  const worker = (ahead = () => 0): QueryClient => {
    const clock: Clock = {
      now: () => Date.now(),
      monotonic: () => performance.now() + ahead(),
      setTimeout: (run, delay) => setTimeout(run, delay),
      clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout),
    }
    const storage: StorageBackend = {
      get: (key) => call('get', key, () => held.get(key) ?? null),
      set: (key, value) => call('set', key, () => void held.set(key, value)),
      delete: (key) => call('delete', key, () => void held.delete(key)),
    }
    const client = new QueryClient({ storage, storageTimeout: 5_000, staleTime: 60_000, clock })
    onTestFinished(() => client.close({ timeout: 0 }))
    return client
  }
  const hold = (what: string): (() => void) => {
    let release = (): void => {}
    gates.set(what, new Promise((resolve) => (release = resolve)))
    return () => {
      gates.delete(what)
      release()
    }
  }
  const asked = async (client: QueryClient): Promise<[unknown, string[]]> => {
    client.clear()
    calls.length = 0
    const data = await client.getQueryDataAsync(USER)
    return [data, calls.map((each) => each.replace(/^get /, ''))]
  }
  return { held, calls, worker, hold, asked }
}

async function idle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve))
}

test('as long as nothing is invalidated a read asks for its entry and one token', async () => {
  const { worker, asked } = sharedStore()
  const [writer, reader] = [worker(), worker()]
  writer.setQueryData(USER, 'Ada')
  await writer.removeQueries(['other'])
  await writer.flush()
  const [first, all] = await asked(reader)
  expect([first, all.length]).toEqual(['Ada', 8])
  await asked(reader)
  expect(await asked(reader)).toEqual(['Ada', ['sq:d:["user",1]', NAMESPACE]])
})

test('and what a peer removes then is gone, at once, and believed again when it is written again', async () => {
  const { worker, asked } = sharedStore()
  const [writer, reader, remover] = [worker(), worker(), worker()]
  writer.setQueryData(USER, 'Ada')
  await writer.removeQueries(['other'])
  await writer.flush()
  for (let i = 0; i < 3; i++) await asked(reader)
  await remover.removeQueries(['user'])
  expect((await asked(reader))[0]).toBeUndefined()
  remover.setQueryData(USER, 'Grace')
  await remover.flush()
  expect((await asked(reader))[0]).toBe('Grace')
})

test('a store without the token of the namespace gets one, and costs no more than before until then', async () => {
  const { held, worker, asked } = sharedStore()
  const [writer, reader] = [worker(), worker()]
  writer.setQueryData(USER, 'Ada')
  await writer.flush()
  expect(held.has(NAMESPACE)).toBe(false)
  expect((await asked(reader))[0]).toBe('Ada')
  await reader.flush()
  expect(held.get(NAMESPACE)).toMatch(/^[\w-]{8}$/)
  held.set(NAMESPACE, 'no token')
  for (let i = 0; i < 4; i++) expect((await asked(reader))[0]).toBe('Ada')
  expect(held.get(NAMESPACE)).toMatch(/^[\w-]{8}$/)
  held.delete(NAMESPACE)
  expect((await asked(reader))[0]).toBe('Ada')
})

test('a removal replaces the token of the namespace when the store has those of the slots, and waits for it', async () => {
  const { calls, worker, hold } = sharedStore()
  const client = worker()
  client.setQueryData(USER, 'Ada')
  await client.flush()
  calls.length = 0
  const releaseNamespace = hold(`set ${NAMESPACE}`)
  let isOver = false
  const removed = client.removeQueries(['user']).then(() => {
    isOver = true
  })
  await idle()
  expect(calls.at(-1)).toBe(`set ${NAMESPACE}`)
  expect(calls.filter((each) => each.startsWith('set sq:h:'))).toHaveLength(2)
  expect(isOver).toBe(false)
  releaseNamespace()
  await removed
})

test('it does not replace it while the store has not taken those of the slots', async () => {
  const { calls, worker, hold } = sharedStore()
  const client = worker()
  client.setQueryData(USER, 'Ada')
  await client.flush()
  void client.removeQueries(['user'])
  await idle()
  const slot = calls.find((each) => each.startsWith('set sq:h:1')) as string
  await client.flush()
  calls.length = 0
  const release = hold(slot)
  const removed = client.removeQueries(['user'])
  await idle()
  expect(calls).toContain(slot)
  const before = calls.length
  release()
  await removed
  expect(calls.slice(before)).toContain(`set ${NAMESPACE}`)
})

test('a token that was read before the one of the namespace is not vouched for by it', async () => {
  const { held, worker, hold, asked } = sharedStore()
  const [writer, reader, remover] = [worker(), worker(), worker()]
  writer.setQueryData(USER, 'Ada')
  await writer.removeQueries(['other'])
  await writer.flush()
  const release = hold(`get ${NAMESPACE}`)
  const early = reader.getQueryDataAsync(USER)
  await idle()
  // By one who never saw the key, so that the entry stays in the store.
  await remover.removeQueries(['user'])
  release()
  // It was asked for before the removal.
  expect(await early).toBe('Ada')
  expect(held.has('sq:d:["user",1]')).toBe(true)
  for (let i = 0; i < 3; i++) expect((await asked(reader))[0]).toBeUndefined()
})

test('after a minute it asks for all tokens again, whatever the one says', async () => {
  const { worker, asked } = sharedStore()
  let ahead = 0
  const [writer, reader] = [worker(), worker(() => ahead)]
  writer.setQueryData(USER, 'Ada')
  await writer.removeQueries(['other'])
  await writer.flush()
  const count = async () => (await asked(reader))[1].length
  for (let i = 0; i < 3; i++) await count()
  expect([await count(), await count()]).toEqual([2, 2])
  ahead = 60_000
  expect([await count(), await count(), await count()]).toEqual([10, 2, 2])
})
