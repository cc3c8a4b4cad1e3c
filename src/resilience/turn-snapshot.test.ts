import { expect, test } from 'vitest'
import { TurnSnapshot } from './turn-snapshot.ts'

function counted() {
  const counts = { taken: 0, released: 0 }
  const snapshot = new TurnSnapshot(
    () => void counts.taken++,
    () => void counts.released++,
  )
  return { counts, snapshot }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('reads that follow each other within a turn share it, and it does not outlast the turn', async () => {
  const { counts, snapshot } = counted()
  const number = snapshot.hold()
  expect(snapshot.hold()).toBe(number)
  await undefined
  expect(counts).toEqual({ taken: 1, released: 0 })
  await turn()
  expect(counts).toEqual({ taken: 1, released: 1 })
  expect(snapshot.hold()).not.toBe(number)
  await turn()
  expect(counts).toEqual({ taken: 2, released: 2 })
})

test('jobs without a read give it up', async () => {
  const { counts, snapshot } = counted()
  snapshot.hold()
  for (let i = 0; i < 10; i++) await undefined
  expect(counts.released).toBe(1)
})

test('it does not outlast a wait that keeps the turn from ending', async () => {
  const { counts, snapshot } = counted()
  const number = snapshot.hold()
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
  expect(snapshot.hold()).not.toBe(number)
  expect(counts).toEqual({ taken: 2, released: 1 })
  await turn()
  expect(counts.released).toBe(2)
})

test('one that was dropped is released once; one that cannot be taken is not held', async () => {
  const { counts, snapshot } = counted()
  snapshot.hold()
  snapshot.drop()
  snapshot.drop()
  await turn()
  expect(counts.released).toBe(1)
  let released = 0
  const failing = new TurnSnapshot(
    () => {
      throw new Error('busy')
    },
    () => void released++,
  )
  expect(() => failing.hold()).toThrow('busy')
  await turn()
  expect(released).toBe(0)
})

test('the numbers of two are never the same', () => {
  const [one, two] = [counted().snapshot, counted().snapshot]
  expect(one.hold()).not.toBe(two.hold())
})

test('it tells when it was asked for last', () => {
  const { snapshot } = counted()
  const before = Date.now()
  snapshot.hold()
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
  const first = snapshot.heldAt
  snapshot.hold()
  expect(first).toBeGreaterThanOrEqual(before)
  expect(snapshot.heldAt).toBeGreaterThan(first)
  expect(snapshot.heldAt).toBeLessThanOrEqual(Date.now())
})
