import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as devalue from 'devalue'
import { describe, expect, test } from 'vitest'
import { hashKey } from '../../src/keys/hash-key.ts'
import { devalueSerializer } from '../../src/serializers/devalue/index.ts'
import { decodeEnvelope } from '../../src/tier/envelope.ts'
import { jsonSerializer } from '../../src/tier/json-serializer.ts'
import { entryKey, entryPrefix } from '../../src/tier/storage-keys.ts'

const FOLDER = fileURLToPath(new URL('../fixtures/envelopes/', import.meta.url))
const files = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.json'))
  .sort()

class Money {
  readonly amount: number
  constructor(amount: number) {
    this.amount = amount
  }
}
const rich = devalueSerializer(devalue, {
  types: {
    Money: { encode: (value) => value instanceof Money && [value.amount], decode: ([a]) => new Money(a) },
  },
})
/** What is beyond the JSON of a fixture. */
const RICH_DATA = {
  date: new Date(5),
  map: new Map([['a', new Set([1n])]]),
  numbers: [Number.NaN, -0, Number.POSITIVE_INFINITY, undefined],
  bytes: new Uint8Array([1, 2, 255]),
  part: new Uint8Array([2, 3]),
  regexp: /a"b/gi,
  url: new URL('https://example.com/?q=1'),
  money: new Money(5),
}

describe('what released versions wrote decodes for ever', () => {
  test('there are payloads of every version', () => {
    expect(new Set(files.map((file) => file.split(/[\\/]/)[0]))).toEqual(new Set(['v1']))
    expect(files.length).toBeGreaterThanOrEqual(12)
  })

  test.each(files)('%s', (file) => {
    const { queryKey, storageKey, text, expected, serializer } = JSON.parse(
      readFileSync(FOLDER + file, 'utf8'),
    )
    const isRich = serializer === 'devalue'
    const envelope = isRich ? { ...expected, data: RICH_DATA } : expected
    expect(decodeEnvelope(text, isRich ? rich : jsonSerializer, storageKey)).toStrictEqual({ envelope })
    // A key that is looked for elsewhere is a value lost.
    expect(entryKey(entryPrefix('sq'), hashKey(queryKey)).storageKey).toBe(storageKey)
  })
})
