/**
 * How schedules are generated: ordinary work with faults in between. Most schedules are narrow: two workers, nearly one
 * key, and the one prefix above it, so that what must meet for a bug to show does meet. The others use all there is.
 */

import fc from 'fast-check'
import {
  type Action,
  KEYS,
  type KeyClass,
  type Schedule,
  type Setting,
  type Step,
  TARGETS,
} from './schedule.ts'
import { SLOWEST_ORIGIN, STORAGE_TIMEOUT } from './timing.ts'
import { WEATHERS, type Weather } from './weather.ts'

interface Scope {
  readonly w: fc.Arbitrary<number>
  readonly k: fc.Arbitrary<number>
  readonly f: fc.Arbitrary<number>
}

const WIDE: Scope = {
  w: fc.constantFrom(0, 1, 0, 1, 2),
  k: fc.constantFrom(1, 1, 1, 0, 2, 3, 4).filter((k) => k < KEYS.length),
  f: fc.constantFrom(...TARGETS.keys()),
}
const NARROW: Scope = {
  w: fc.constantFrom(0, 1),
  k: fc.constantFrom(1, 1, 1, 1, 2),
  f: fc.constantFrom(0, 0, 1),
}
const staleTime = fc.constantFrom(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 0, 1_000)

const KEY_CLASSES: readonly KeyClass[] = [
  'all',
  'all',
  'entries',
  'tokens',
  'reads',
  'writes',
  'token-writes',
  'leases',
  'feed',
]

type Weighted = { weight: number; arbitrary: fc.Arbitrary<Action> }

function step<A extends Action>(
  weight: number,
  name: A['do'],
  fields: { [N in Exclude<keyof A, 'do'>]: fc.Arbitrary<A[N]> },
): Weighted {
  const names = Object.keys(fields)
  const arbitraries = Object.values(fields) as fc.Arbitrary<unknown>[]
  const arbitrary = fc.tuple(...arbitraries).map((values) => {
    const action: Record<string, unknown> = { do: name }
    for (let i = 0; i < names.length; i++) action[names[i] as string] = values[i]
    return action as unknown as Action
  })
  return { weight, arbitrary }
}

type Of<N extends Action['do']> = Extract<Action, { do: N }>

const flood: Action = { do: 'flood', w: 0 }
const quiet: Action = { do: 'advance', ms: 20 }
const isRushed = fc.constantFrom(false, false, false, true)

const actionOf = ({ w, k, f }: Scope): fc.Arbitrary<Action> =>
  fc.oneof(
    step<Of<'advance'>>(16, 'advance', {
      ms: fc.constantFrom(0, 1, 20, 20, STORAGE_TIMEOUT - 1, STORAGE_TIMEOUT, 250, 1_000, 6_000, 61_000),
    }),
    step<Of<'fetch'>>(22, 'fetch', { w, k, staleTime, wait: fc.boolean() }),
    step<Of<'look'>>(5, 'look', { w, k }),
    step<Of<'set'>>(6, 'set', { w, k }),
    step<Of<'invalidate'>>(8, 'invalidate', { w, f }),
    step<Of<'remove'>>(8, 'remove', { w, f }),
    step<Of<'reset'>>(1, 'reset', { w, f }),
    step<Of<'cancel'>>(2, 'cancel', { w, f }),
    step<Of<'clear'>>(8, 'clear', { w }),
    step<Of<'crash'>>(3, 'crash', { w }),
    step<Of<'close'>>(2, 'close', { w }),
    step<Of<'flush'>>(1, 'flush', { w }),
    step<Of<'watch'>>(3, 'watch', { w, k, staleTime }),
    step<Of<'unwatch'>>(2, 'unwatch', { w }),
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 50 }).map((n) => (n === 50 ? flood : quiet)) },
    step<Of<'skew'>>(1, 'skew', { w, by: fc.constantFrom(-3_600_000, -50, 50, 3_600_000) }),
    step<Of<'origin'>>(6, 'origin', {
      delay: fc.constantFrom(20, 0, 1, 150, SLOWEST_ORIGIN),
      failures: fc.constantFrom(0, 0, 0, 1, 2),
      rich: fc.constantFrom(false, false, false, true),
    }),
    step<Of<'bump'>>(2, 'bump', { k }),
    step<Of<'weather'>>(12, 'weather', {
      w: fc.oneof({ weight: 4, arbitrary: w }, { weight: 1, arbitrary: fc.constant(-1) }),
      weather: fc.constantFrom(...WEATHERS, 'calm', 'calm', 'slow-answers'),
      on: fc.constantFrom(...KEY_CLASSES),
    }),
    step<Of<'lose-entry'>>(1, 'lose-entry', { k }),
    step<Of<'corrupt-entry'>>(2, 'corrupt-entry', { k, how: fc.nat(9) }),
    step<Of<'lose-token'>>(2, 'lose-token', { nth: fc.nat(15) }),
    step<Of<'corrupt-token'>>(1, 'corrupt-token', { nth: fc.nat(15), how: fc.nat(9) }),
    step<Of<'lose-tokens'>>(1, 'lose-tokens', {}),
    step<Of<'lose-all'>>(1, 'lose-all', {}),
    step<Of<'suspend'>>(3, 'suspend', { w, ms: fc.constantFrom(50, 500, 4_000, 60_000) }),
    step<Of<'hearing'>>(3, 'hearing', {
      w: fc.oneof({ weight: 4, arbitrary: w }, { weight: 1, arbitrary: fc.constant(-1) }),
      hearing: fc.constantFrom('late', 'deaf', 'prompt'),
    }),
    step<Of<'trim-log'>>(1, 'trim-log', { keep: fc.constantFrom(0, 1) }),
    step<Of<'lose-leases'>>(1, 'lose-leases', {}),
  )

const stepsOf = (scope: Scope): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.tuple(actionOf(scope), isRushed).map(([what, rush]) => ({ ...what, rush })),
    { minLength: 1, maxLength: 32, size: 'max' },
  )

/** Above all what leaves a writer in doubt. */
const TROUBLE = fc.constantFrom<Weather>(
  'late-refusals',
  'slow-answers',
  'late-refusals',
  'slow-answers',
  'down',
  ...WEATHERS,
)

/** A play of so many steps, with up to three of them missing and up to four others in between. */
function variationOf(length: number): fc.Arbitrary<(whole: readonly Action[]) => Step[]> {
  const at = fc.nat(length - 1)
  const missing = fc.array(at, { maxLength: 3 })
  const between = fc.array(fc.tuple(at, actionOf(NARROW)), { maxLength: 4 })
  return fc.tuple(missing, between).map(
    ([missing, between]) =>
      (whole) =>
        whole.flatMap((each, i) => {
          const others = between.filter(([at]) => at === i).map(([, other]) => other)
          const all = missing.includes(i) ? others : [each, ...others]
          return all.map((action) => ({ ...action, rush: false }))
        }),
  )
}

/**
 * Two workers, one prefix: the first invalidates it under some weather, the second reads, fetches, and invalidates it in
 * its turn, and somebody looks. Any step may be missing and any other come between.
 */
const race: fc.Arbitrary<Step[]> = fc
  .tuple(
    fc.constantFrom(0, 1, 1),
    fc.constantFrom<'remove' | 'invalidate'>('remove', 'remove', 'invalidate'),
    fc.tuple(TROUBLE, fc.constantFrom<KeyClass>('token-writes', 'token-writes', 'writes', 'all')),
    fc.tuple(fc.constantFrom(0, 20, 250), fc.constantFrom(1, 20, 100), fc.constantFrom(0, 20, 250, 6_000)),
    fc.constantFrom(0, 1),
    variationOf(15),
  )
  .map(([f, how, [weather, on], [first, second, third], fetcher, vary]) => {
    const whole: Action[] = [
      { do: 'origin', delay: 1, failures: 0, rich: false },
      { do: 'fetch', w: 0, k: 1, staleTime: Infinity, wait: false },
      { do: 'advance', ms: 20 },
      { do: 'clear', w: 0 },
      { do: 'weather', w: 0, weather, on },
      { do: how, w: 0, f },
      { do: 'advance', ms: first },
      { do: 'fetch', w: fetcher, k: 1, staleTime: Infinity, wait: false },
      { do: 'advance', ms: second },
      { do: 'clear', w: fetcher },
      { do: how, w: 1, f },
      { do: 'weather', w: 0, weather: 'calm', on: 'all' },
      { do: 'advance', ms: third },
      { do: 'look', w: 1 - fetcher, k: 1 },
      { do: 'fetch', w: fetcher, k: 1, staleTime: Infinity, wait: false },
    ]
    return vary(whole)
  })

/**
 * Two workers, one key, leases: the first is in some trouble while it holds the lease, and the second wants the key. As
 * above, any step may be missing and any other come between.
 */
const holding: fc.Arbitrary<Step[]> = fc
  .tuple(
    fc.constantFrom(1, 20, SLOWEST_ORIGIN),
    fc.tuple(TROUBLE, fc.constantFrom<KeyClass>('entries', 'entries', 'writes', 'leases', 'feed', 'all')),
    fc.constantFrom(0, 0, 1_000),
    fc.constantFrom<Action>(
      quiet,
      quiet,
      quiet,
      { do: 'suspend', w: 0, ms: 4_000 },
      { do: 'suspend', w: 0, ms: 60_000 },
      { do: 'crash', w: 0 },
      { do: 'close', w: 0 },
      { do: 'lose-leases' },
      { do: 'cancel', w: 0, f: 0 },
      { do: 'remove', w: 1, f: 0 },
    ),
    fc.constantFrom(0, 20, 250),
    fc.constantFrom(250, 6_000, 61_000, 61_000),
    variationOf(9),
  )
  .map(([delay, [weather, on], staleTime, trouble, first, second, vary]) =>
    vary([
      { do: 'origin', delay, failures: 0, rich: false },
      { do: 'weather', w: 0, weather, on },
      { do: 'fetch', w: 0, k: 1, staleTime, wait: false },
      { do: 'advance', ms: first },
      trouble,
      { do: 'fetch', w: 1, k: 1, staleTime, wait: false },
      { do: 'advance', ms: second },
      { do: 'weather', w: 0, weather: 'calm', on: 'all' },
      { do: 'fetch', w: 0, k: 1, staleTime, wait: false },
    ]),
  )

const steps = fc.oneof(
  { weight: 4, arbitrary: stepsOf(NARROW) },
  { weight: 2, arbitrary: stepsOf(WIDE) },
  { weight: 2, arbitrary: race },
  { weight: 1, arbitrary: holding },
)

const setting: fc.Arbitrary<Setting> = fc.record(
  {
    salt: fc.nat(1_000_000),
    workers: fc.constantFrom(2, 2, 3),
    hasBatches: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
    skews: fc.tuple(
      fc.constantFrom(0, 0, 30_000, -30_000),
      fc.constantFrom(0, 0, 500, 86_400_000),
      fc.constantFrom(0, 0, -1_000),
    ),
    honoursTtl: fc.boolean(),
    cacheMaxSize: fc.constantFrom(1_000, 1_000, 1_000, 2),
    gcTime: fc.constantFrom(300_000, 300_000, 1_500),
    storageTtl: fc.constantFrom(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 5_000),
    mostWrites: fc.constantFrom(50_000, 50_000, 50_000, 2),
    hasAdd: fc.boolean(),
    hasFeed: fc.boolean(),
    hasLeases: fc.boolean(),
    // A log that keeps less than a message of each worker would be one gap after the other.
    feedLength: fc.constantFrom(1_000, 1_000, 4),
    beginsDeaf: fc.constantFrom(false, false, false, true),
  },
  { noNullPrototype: true },
)

export const schedules: fc.Arbitrary<Schedule> = fc.record({ setting, steps }, { noNullPrototype: true })
