import { describe, expect, test } from 'vitest'
import { canonicalParts, hashKey } from '../keys/hash-key.ts'
import type { QueryKey } from '../keys/query-key.ts'
import { seededRandom } from '../testing/index.ts'
import { differenceFrom, Generations, worseOf } from './generations.ts'
import { Vouch } from './vouching.ts'

const KEY = ['users', 1, 'posts']

function setUp() {
  const generations = new Generations('sq', seededRandom(1))
  const tokens = generations.tokenKeysOf(KEY)
  const learnAll = (token = 'AAAAAAAA', seq = generations.mark()) => {
    for (const tokenKey of tokens) generations.learn(tokenKey, token, seq)
  }
  return { generations, tokens, learnAll }
}

describe('the tokens of a key', () => {
  test('are a hard and a soft one for each prefix, and for itself', () => {
    const { tokens } = setUp()
    expect(tokens).toHaveLength(2 * (KEY.length + 1))
    expect(tokens.filter((_, i) => i % 2 === 0).every((key) => key.startsWith('sq:h:'))).toBe(true)
    expect(tokens.filter((_, i) => i % 2 === 1).every((key) => key.startsWith('sq:s:'))).toBe(true)
    expect(new Set(tokens).size).toBe(tokens.length)
  })

  test('are met by the invalidation of each of its prefixes, the empty one included, and of itself', () => {
    const { generations, tokens } = setUp()
    for (const kind of ['hard', 'soft'] as const) {
      for (let depth = 0; depth < KEY.length; depth++) {
        const replaced = generations.tokenKeysToReplace(canonicalParts(KEY.slice(0, depth)), false, kind)
        expect(replaced.filter((key) => tokens.includes(key))).toHaveLength(1)
      }
      expect(tokens).toContain(generations.tokenKeysToReplace(canonicalParts(KEY), true, kind)[0])
    }
  })

  test('are the same whichever key came before', () => {
    const filter = { team: 'a' }
    const keys = [
      KEY,
      ['users', 2, 'posts'],
      ['users', '2', 'posts'],
      ['users', 2],
      ['users'],
      [],
      [filter, 1],
    ]
    const fresh = (key: (typeof keys)[number]) => new Generations('sq', seededRandom(1)).tokenKeysOf(key)
    const { generations } = setUp()
    for (const before of keys) {
      for (const key of keys) {
        generations.tokenKeysOf(before)
        expect(generations.tokenKeysOf(key)).toEqual(fresh(key))
      }
    }
    generations.tokenKeysOf([filter, 1])
    filter.team = 'b'
    expect(generations.tokenKeysOf([filter, 1])).toEqual(fresh([filter, 1]))
  })

  test('are not met by what is below it, beside it, or exactly above it', () => {
    const { generations, tokens } = setUp()
    const others: [key: (string | number)[], isExact: boolean][] = [
      [[...KEY, 'more'], false],
      [['users', 2], false],
      [['users', '1'], false],
      [['posts'], false],
      [['users'], true],
      [[], true],
    ]
    for (const [key, isExact] of others)
      for (const kind of ['hard', 'soft'] as const)
        for (const replaced of generations.tokenKeysToReplace(canonicalParts(key), isExact, kind))
          expect(tokens).not.toContain(replaced)
  })
})

describe('what is known of a token', () => {
  test('is nothing at first, and then what L2 has answered', () => {
    const { generations, tokens, learnAll } = setUp()
    expect([generations.current(tokens), generations.capture(tokens)]).toEqual([null, null])
    learnAll()
    const all = { hard: 'AAAAAAAA'.repeat(4), soft: 'AAAAAAAA'.repeat(4) }
    expect([generations.current(tokens), generations.capture(tokens)]).toEqual([all, all])
    expect(tokens.every((key) => generations.isKnown(key))).toBe(true)
  })

  test.each([null, '', 'AAAAAAA', 'AAAAAAAAA', 'AAAA AAA', '{"a":1}!', 'ÄAAAAAAA'])(
    'is nothing where the answer is %j',
    (answer) => {
      const { generations, tokens, learnAll } = setUp()
      learnAll()
      generations.learn(tokens[0] as string, answer, generations.mark())
      expect(generations.isKnown(tokens[0] as string)).toBe(false)
      expect(generations.current(tokens)).toBe(null)
    },
  )

  test('does not go back by an answer to an older question', () => {
    const { generations, tokens, learnAll } = setUp()
    const early = generations.mark()
    learnAll('BBBBBBBB')
    generations.learn(tokens[0] as string, 'AAAAAAAA', early)
    generations.learn(tokens[1] as string, null, early)
    expect(generations.current(tokens)).toEqual({ hard: 'BBBBBBBB'.repeat(4), soft: 'BBBBBBBB'.repeat(4) })
  })

  test('after a replacement is the new one, which condemns, but vouches for nothing until L2 has it', () => {
    const { generations, tokens, learnAll } = setUp()
    learnAll()
    const [tokenKey] = generations.tokenKeysToReplace(canonicalParts(KEY), true, 'hard') as [string]
    const token = generations.replace(tokenKey)
    expect(token).toMatch(/^[\w-]{8}$/)
    generations.learn(tokenKey, 'AAAAAAAA', generations.mark())
    expect(generations.current(tokens)?.hard).toContain(token)
    expect(generations.capture(tokens)).toBe(null)

    const asked = generations.mark()
    generations.settled(tokenKey, token)
    expect(generations.capture(tokens)?.hard).toContain(token)
    // It was asked for before L2 had the new one.
    generations.learn(tokenKey, 'AAAAAAAA', asked)
    expect(generations.current(tokens)?.hard).toContain(token)
    generations.learn(tokenKey, 'CCCCCCCC', generations.mark())
    expect(generations.current(tokens)?.hard).not.toContain(token)
  })

  test('is not settled by a token that has been replaced since', () => {
    const { generations, tokens, learnAll } = setUp()
    learnAll()
    const [tokenKey] = generations.tokenKeysToReplace(canonicalParts(KEY), true, 'hard') as [string]
    const first = generations.replace(tokenKey)
    const second = generations.replace(tokenKey)
    expect(second).not.toBe(first)
    generations.settled(tokenKey, first)
    expect(generations.capture(tokens)).toBe(null)
    generations.settled(tokenKey, second)
    expect(generations.capture(tokens)).not.toBe(null)
  })

  test('is a token of its own making once L2 has it', () => {
    const { generations, tokens, learnAll } = setUp()
    learnAll()
    generations.learn(tokens[0] as string, null, generations.mark())
    const token = generations.makeToken()
    expect(generations.capture(tokens)).toBe(null)
    generations.settled(tokens[0] as string, token)
    expect(generations.capture(tokens)?.hard.startsWith(token)).toBe(true)
  })

  test('is bounded: the oldest are forgotten, those on their way to L2 never', () => {
    const { generations } = setUp()
    const [pending] = generations.tokenKeysToReplace(canonicalParts(['pending']), true, 'hard') as [string]
    const token = generations.replace(pending)
    const seq = generations.mark()
    for (let n = 0; n < 250_000; n++) generations.learn(`token ${n}`, 'AAAAAAAA', seq)
    expect(generations.isKnown('token 0')).toBe(false)
    expect(generations.isKnown('token 249999')).toBe(true)
    let known = 0
    for (let n = 0; n < 250_000; n++) if (generations.isKnown(`token ${n}`)) known++
    expect(known).toBeLessThanOrEqual(200_000)
    expect(known).toBeGreaterThan(140_000)
    expect(generations.isKnown(pending)).toBe(true)
    expect(generations.current([pending])).toEqual({ hard: token, soft: '' })
  })
})

describe('a difference', () => {
  const capture = { hard: 'AAAAAAAAaaaaaaaa', soft: 'BBBBBBBBbbbbbbbb' }
  test.each([
    ['none', capture.hard, capture.soft, null],
    ['in a hard token', 'AAAAAAAAxaaaaaaa', capture.soft, 'hard'],
    ['in a soft token', capture.hard, 'xBBBBBBBbbbbbbbb', 'soft'],
    ['in both', 'xAAAAAAAaaaaaaaa', 'BBBBBBBBbbbbbbbx', 'hard'],
    ['in the number of hard tokens', 'AAAAAAAA', capture.soft, 'hard'],
    ['in the number of hard tokens, too many', `${capture.hard}aaaaaaaa`, capture.soft, 'hard'],
    ['in the number of soft tokens', capture.hard, 'BBBBBBBB', 'soft'],
    ['in the number of soft tokens, too many', capture.hard, `${capture.soft}bbbbbbbb`, 'soft'],
  ])('%s is told', (_, hard, soft, expected) => {
    expect(differenceFrom(capture, hard, soft)).toBe(expected)
  })

  test('that is hard anywhere is hard', () => {
    for (const other of ['hard', 'soft', null] as const) {
      expect([worseOf('hard', other), worseOf(other, 'hard')]).toEqual(['hard', 'hard'])
    }
    expect([worseOf('soft', null), worseOf(null, 'soft'), worseOf(null, null)]).toEqual([
      'soft',
      'soft',
      null,
    ])
  })
})

test('the token that removes one key is told by its hash', () => {
  const generations = new Generations('sq', Math.random)
  for (const key of [[], ['a'], ['user', 1, { b: [null, 2n], a: new Date(0) }], ['a,b', '']]) {
    const byParts = generations.tokenKeysToReplace(canonicalParts(key), true, 'hard')
    expect([generations.tokenKeyToRemove(hashKey(key))]).toEqual(byParts)
  }
})

describe('what one token vouches for', () => {
  const VOUCH = new Vouch('NNNNNNNN', 1)
  const setUpVouched = () => {
    const { generations, tokens } = setUp()
    for (const [i, tokenKey] of tokens.entries())
      generations.learn(tokenKey, String.fromCharCode(65 + i).repeat(8), generations.mark(), VOUCH)
    return { generations, tokens, list: generations.vouchedFor(KEY, VOUCH)!, lapsed: VOUCH.lapsed }
  }

  test('is nothing that was not read under it', () => {
    const { generations, tokens, learnAll } = setUp()
    expect(generations.vouchedFor(KEY, VOUCH)).toBeNull()
    learnAll()
    expect(generations.vouchedFor(KEY, VOUCH)).toBeNull()
    expect(generations.notVouchedFor(generations.slotsOf(KEY), VOUCH)).toEqual(tokens)
  })

  test('is told hard and soft apart', () => {
    const { generations, tokens, list } = setUpVouched()
    const { hard, soft } = list
    expect([hard, soft]).toEqual(['AAAAAAAACCCCCCCCEEEEEEEEGGGGGGGG', 'BBBBBBBBDDDDDDDDFFFFFFFFHHHHHHHH'])
    expect(generations.current(tokens)).toEqual({ hard, soft })
  })

  test('is one list for as long as nothing of it changes', () => {
    const { generations, list, lapsed } = setUpVouched()
    generations.learn('sq:h:elsewhere', 'ZZZZZZZZ', generations.mark(), VOUCH)
    expect(generations.vouchedFor(KEY, VOUCH)).toBe(list)
    expect(VOUCH.lapsed).toBe(lapsed)
    expect(generations.vouchedFor(KEY, new Vouch(VOUCH.token, 1))).toBeNull()
  })

  test('stays the list when a token lapses that another stood for', () => {
    const { generations, list } = setUpVouched()
    const former = new Vouch('FFFFFFFF', 1)
    generations.learn('sq:h:elsewhere', 'ZZZZZZZZ', generations.mark(), former)
    generations.learn('sq:h:elsewhere', 'ZZZZZZZZ', generations.mark(), VOUCH)
    expect(generations.vouchedFor(KEY, VOUCH)).toBe(list)
  })

  const changes: Record<string, (generations: Generations, tokenKey: string) => void> = {
    'is replaced': (generations, tokenKey) => generations.replace(tokenKey),
    'is forgotten': (generations, tokenKey) => generations.forget([tokenKey]),
    'is doubted': (generations, tokenKey) => generations.doubt([tokenKey]),
    'is gone from L2': (generations, tokenKey) =>
      generations.learn(tokenKey, null, generations.mark(), VOUCH),
    'is read under nothing': (generations, tokenKey) =>
      generations.learn(tokenKey, generations.current([tokenKey, tokenKey])!.hard, generations.mark()),
  }
  test.each(Object.entries(changes))('is void once a token %s, whichever', (_, change) => {
    for (let i = 0; i < 2 * (KEY.length + 1); i++) {
      const { generations, tokens, lapsed } = setUpVouched()
      change(generations, tokens[i]!)
      // Who took the list before sees it by that.
      expect(VOUCH.lapsed).toBeGreaterThan(lapsed)
      expect(generations.vouchedFor(KEY, VOUCH)).toBeNull()
    }
  })

  test('is another list once L2 has answered with another token', () => {
    const { generations, tokens, lapsed } = setUpVouched()
    generations.learn(tokens[2]!, 'xxxxxxxx', generations.mark(), VOUCH)
    expect(VOUCH.lapsed).toBeGreaterThan(lapsed)
    expect(generations.vouchedFor(KEY, VOUCH)?.hard).toBe('AAAAAAAAxxxxxxxxEEEEEEEEGGGGGGGG')
  })

  test('is told apart for keys that share the slot of whole keys and no prefix', () => {
    const { generations } = setUp()
    const slotOf = (key: QueryKey) => generations.tokenKeyToRemove(hashKey(key))
    const first = ['first', 0]
    let second = ['second', 0]
    for (let i = 0; slotOf(second) !== slotOf(first); i++) second = ['second', i]
    for (const key of [first, second]) {
      for (const tokenKey of generations.tokenKeysOf(key))
        generations.learn(
          tokenKey,
          tokenKey.slice(-8).padStart(8, '_').replace(/\W/g, '-'),
          generations.mark(),
          VOUCH,
        )
    }
    for (const key of [first, second, first]) {
      const { hard, soft } = generations.vouchedFor(key, VOUCH)!
      expect(generations.current(generations.tokenKeysOf(key))).toEqual({ hard, soft })
    }
    expect(generations.vouchedFor(first, VOUCH)?.hard).not.toBe(generations.vouchedFor(second, VOUCH)?.hard)
  })
})
