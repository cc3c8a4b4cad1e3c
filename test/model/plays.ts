/** Schedules that follow a plot: what must meet for a bug to show is too much to be left to chance. */

import fc from 'fast-check'
import { actionOf, flood, NARROW, quiet } from './actions.ts'
import type { Action, KeyClass, Step } from './schedule.ts'
import { SLOWEST_ORIGIN } from './timing.ts'
import { WEATHERS, type Weather } from './weather.ts'

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
export const race: fc.Arbitrary<Step[]> = fc
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
export const holding: fc.Arbitrary<Step[]> = fc
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

/** The second worker observes what the first invalidates while it hears nothing; then it is told of a gap. */
export const gap: fc.Arbitrary<Step[]> = fc
  .tuple(
    fc.constantFrom<'remove' | 'invalidate'>('remove', 'remove', 'invalidate'),
    fc.constantFrom(0, 0, 1),
    fc.constantFrom<Action>(
      quiet,
      { do: 'crash', w: 0 },
      { do: 'suspend', w: 0, ms: 4_000 },
      { do: 'weather', w: 0, weather: 'mute', on: 'all' },
      { do: 'weather', w: 1, weather: 'down', on: 'reads' },
    ),
    fc.constantFrom(20, 600, 1_000),
    fc.constantFrom<Action>({ do: 'unwatch', w: 1 }, quiet),
    fc.constantFrom(0, 0, 2),
    variationOf(14),
  )
  .map(([how, f, trouble, ms, last, failures, vary]) =>
    vary([
      { do: 'set', w: 0, k: 1 },
      { do: 'advance', ms: 20 },
      { do: 'watch', w: 1, k: 1, staleTime: Infinity },
      { do: 'advance', ms: 20 },
      { do: 'hearing', w: 1, hearing: 'deaf' },
      { do: how, w: 0, f },
      { do: 'trim-log', keep: 0 },
      { do: 'fetch', w: 0, k: 1, staleTime: Infinity, wait: false },
      trouble,
      { do: 'origin', delay: 20, failures, rich: false },
      { do: 'hearing', w: 1, hearing: 'prompt' },
      { do: 'advance', ms },
      last,
      { do: 'fetch', w: 1, k: 1, staleTime: Infinity, wait: false },
    ]),
  )

/** A worker asks for more at once than a store that takes its time may be asked. */
export const flooding: fc.Arbitrary<Step[]> = fc
  .tuple(
    fc.constantFrom<Weather>('mute', 'slow', 'slow-answers', 'lost-answers'),
    fc.constantFrom<KeyClass>('all', 'reads', 'tokens'),
    fc.constantFrom(1, 250, 6_000),
    variationOf(5),
  )
  .map(([weather, on, ms, vary]) =>
    vary([
      { do: 'weather', w: 0, weather, on },
      { do: 'fetch', w: 0, k: 1, staleTime: 0, wait: false },
      flood,
      { do: 'advance', ms },
      { do: 'fetch', w: 0, k: 1, staleTime: 0, wait: false },
    ]),
  )
