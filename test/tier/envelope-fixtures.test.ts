import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { hashKey } from '../../src/keys/hash-key.ts'
import { decodeEnvelope } from '../../src/tier/envelope.ts'
import { jsonSerializer } from '../../src/tier/json-serializer.ts'
import { entryKey } from '../../src/tier/storage-keys.ts'

const FOLDER = fileURLToPath(new URL('../fixtures/envelopes/', import.meta.url))
const files = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.json'))
  .sort()

describe('what released versions wrote decodes for ever', () => {
  test('there are payloads of every version', () => {
    expect(new Set(files.map((file) => file.split(/[\\/]/)[0]))).toEqual(new Set(['v1']))
    expect(files.length).toBeGreaterThanOrEqual(12)
  })

  test.each(files)('%s', (file) => {
    const { queryKey, storageKey, text, expected } = JSON.parse(readFileSync(FOLDER + file, 'utf8'))
    expect(decodeEnvelope(text, jsonSerializer, storageKey)).toStrictEqual({ envelope: expected })
    // A key that is looked for elsewhere is a value lost.
    expect(entryKey('sq', hashKey(queryKey)).storageKey).toBe(storageKey)
  })
})
