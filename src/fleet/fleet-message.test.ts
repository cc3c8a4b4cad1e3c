import { describe, expect, test } from 'vitest'
import {
  decodeMessages,
  encodeMessages,
  encodeUpdate,
  type FleetMessage,
  subjectOf,
} from './fleet-message.ts'

const here = { namespace: 'sq', worker: 'here' }
const there = { namespace: 'sq', worker: 'there' }

const update = (n: number): FleetMessage => ({ type: 'updated', key: ['"user"', `${n}`], dataUpdatedAt: n })
const removal: FleetMessage = { type: 'invalidated', kind: 'hard', isExact: true, keys: [['"user"'], []] }

const heard = (texts: readonly string[]): FleetMessage[] =>
  texts.flatMap((text) => decodeMessages(there, text))

const encoded = (messages: readonly FleetMessage[]): string[] =>
  encodeMessages(
    here,
    messages.map((message) =>
      message.type === 'updated' ? encodeUpdate(subjectOf(message.key), message.dataUpdatedAt) : message,
    ),
  )

describe('messages', () => {
  test('come as they were sent, in their order', () => {
    const messages: FleetMessage[] = [
      update(1),
      update(2),
      removal,
      update(3),
      { type: 'lost' },
      { type: 'invalidated', kind: 'soft', isExact: false, keys: [[]] },
    ]
    expect(heard(encoded(messages))).toEqual(messages)
  })

  test('updates that follow each other share strings of bounded length', () => {
    const many = Array.from({ length: 1_000 }, (_, n) => update(n))
    const texts = encoded(many)
    expect(texts.length).toBeLessThan(20)
    expect(heard(texts)).toEqual(many)
    const long = Array.from(
      { length: 10 },
      (_, n): FleetMessage => ({ type: 'updated', key: ['x'.repeat(5_000)], dataUpdatedAt: n }),
    )
    expect(encoded(long)).toHaveLength(10)
    expect(heard(encoded(long))).toEqual(long)
  })

  test('of its own, of other namespaces and of others than us are not heard', () => {
    const texts = encoded([update(1), removal])
    expect(texts.flatMap((text) => decodeMessages(here, text))).toEqual([])
    expect(texts.flatMap((text) => decodeMessages({ namespace: 'other', worker: 'there' }, text))).toEqual([])
    for (const text of [
      '',
      'no',
      '[1,',
      '[1]',
      '[1,"sq","here","u"]',
      '[1,"sq","here","u","soon",["a"]]',
      '{}',
      5,
    ])
      expect(decodeMessages(there, text as string)).toEqual([])
    expect(decodeMessages(there, '[1,"sq","here","u",5,["a"],6,[7]]')).toEqual([])
  })

  test('of an update alone are what they were in all versions', () => {
    expect(encoded([update(7)])).toEqual(['[1,"sq","here","u",7,["\\"user\\"","7"]]'])
  })
})
