import { expect, test } from 'vitest'
import { hashKey } from '../keys/hash-key.ts'
import { entryKey, entryPrefix, generationKey, hash32, isPlainName, probeKey } from './storage-keys.ts'

const SAFE = /^[\x21-\x7e]{1,250}$/

test('keys are printable ASCII of bounded length, whatever the query key', () => {
  const keys = [
    ['user', 1],
    [],
    ['é€😀', ' ', '\u0000', '%', '\ud800'],
    [{ b: [1, null], a: new Date(0) }, 10n],
    ['x'.repeat(100_000)],
    ['é'.repeat(170)],
  ]
  for (const key of keys) expect(entryKey(entryPrefix('n'.repeat(40)), hashKey(key)).storageKey).toMatch(SAFE)
})

test('different keys have different names, escapes included', () => {
  const keys = [
    'a%',
    'a%25;',
    'a%25',
    'a %',
    'a%20;',
    'a',
    'A',
    'aé',
    'a%e9;',
    'x'.repeat(300),
    `${'x'.repeat(300)}y`,
  ]
  const names = new Set(keys.map((key) => entryKey(entryPrefix('sq'), hashKey([key])).storageKey))
  expect(names.size).toBe(keys.length)
})

test('a name that is too long is a digest, and says so', () => {
  const just = entryKey(entryPrefix('sq'), 'x'.repeat(180))
  expect(just).toEqual({ storageKey: `sq:d:${'x'.repeat(180)}`, isDigest: false })
  const long = entryKey(entryPrefix('sq'), 'x'.repeat(181))
  expect(long).toEqual({ storageKey: expect.stringMatching(/^sq:d:#[0-9a-f]{32}$/), isDigest: true })
  // What looks like a digest is none: a hash begins with a bracket.
  expect(hashKey(['#']).startsWith('#')).toBe(false)
})

test('digests of 20,000 long keys are all different, and spread over the slots', () => {
  const digests = new Set<string>()
  const slots = new Set<number>()
  for (let n = 0; n < 20_000; n++) {
    const key = `${'x'.repeat(200)}${n}`
    digests.add(entryKey(entryPrefix('sq'), key).storageKey)
    slots.add(hash32(key) % 65_536)
  }
  expect(digests.size).toBe(20_000)
  // Of 65,536 slots 20,000 random throws hit about 17,200.
  expect(slots.size).toBeGreaterThan(16_500)
})

test('namespaces and kinds share no key', () => {
  const keys = ['a', 'b'].flatMap((namespace) => [
    entryKey(entryPrefix(namespace), '1').storageKey,
    generationKey(namespace, 'hard', '1'),
    generationKey(namespace, 'soft', '1'),
    probeKey(namespace),
  ])
  expect(new Set(keys).size).toBe(8)
})

test('a name is the hash itself but for what is no printable ASCII, for spaces and for the mark of an escape', () => {
  for (let code = 0; code < 256; code++) {
    const char = String.fromCharCode(code)
    const isSafe = code > 32 && code < 127 && char !== '%'
    expect(entryKey(entryPrefix('n'), `a${char}`).storageKey).toBe(
      isSafe ? `n:d:a${char}` : `n:d:a%${code.toString(16)};`,
    )
    expect(isPlainName(`a${char}`)).toBe(isSafe)
  }
})
