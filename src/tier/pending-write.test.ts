import { expect, test } from 'vitest'
import { bytesOf, PendingWrite, type WriteOrder } from './pending-write.ts'

function order(more: Partial<WriteOrder> = {}) {
  const told: string[] = []
  const write = new PendingWrite({
    storageKey: 'k',
    isToken: false,
    produce: () => 'value',
    expiresAt: null,
    onDone: () => told.push('done'),
    onDropped: () => told.push('dropped'),
    ...more,
  })
  return { write, told }
}

test('a value is made once, and not before it can be', () => {
  const values = [undefined, undefined, 'made', 'never asked for']
  let made = 0
  const { write } = order({ produce: () => values[made++] })
  expect([write.make(), write.make(), write.make(), write.make()]).toEqual([false, false, true, true])
  expect([write.value, made]).toEqual(['made', 3])
})

test('a newer write inherits who waits, but not what the older would have reported', () => {
  const older = order()
  const newer = order()
  const told: string[] = []
  older.write.whenDone(() => told.push('first'))
  newer.write.whenDone(() => told.push('second'))
  newer.write.inherit(older.write)
  older.write.done()
  expect(told).toEqual([])
  newer.write.done()
  expect(told).toEqual(['first', 'second'])
  expect(newer.told).toEqual(['done'])
  newer.write.done()
  expect(told).toHaveLength(2)
})

test('who waits is told of a write that was given up too', () => {
  const { write, told } = order()
  write.whenDone(() => told.push('told'))
  write.dropped()
  expect(told).toEqual(['dropped', 'told'])
})

test('bytes are counted from above: two a character, and the record', () => {
  const { write } = order({ produce: () => 'x'.repeat(1_000) })
  const empty = bytesOf(write)
  write.make()
  expect(bytesOf(write) - empty).toBe(2_000)
})
