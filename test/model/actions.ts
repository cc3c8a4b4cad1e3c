/** What may happen in a schedule, how often, and to whom. */

import fc from 'fast-check'
import { type Action, KEYS, type KeyClass, TARGETS } from './schedule.ts'
import { KINDS_OF_GARBAGE } from './simulated-store.ts'
import { SLOWEST_ORIGIN, STORAGE_TIMEOUT } from './timing.ts'
import { WEATHERS } from './weather.ts'

export interface Scope {
  readonly w: fc.Arbitrary<number>
  readonly k: fc.Arbitrary<number>
  readonly f: fc.Arbitrary<number>
}

export const WIDE: Scope = {
  w: fc.constantFrom(0, 1, 0, 1, 2),
  k: fc.constantFrom(1, 1, 1, 0, 2, 3, 4).filter((k) => k < KEYS.length),
  f: fc.constantFrom(...TARGETS.keys()),
}
export const NARROW: Scope = {
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

export const flood: Action = { do: 'flood', w: 0 }
export const quiet: Action = { do: 'advance', ms: 20 }

export const actionOf = ({ w, k, f }: Scope): fc.Arbitrary<Action> =>
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
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 200 }).map((n) => (n === 200 ? flood : quiet)) },
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
    step<Of<'corrupt-entry'>>(2, 'corrupt-entry', { k, how: fc.nat(KINDS_OF_GARBAGE - 1) }),
    step<Of<'lose-token'>>(2, 'lose-token', { nth: fc.nat(15) }),
    step<Of<'corrupt-token'>>(1, 'corrupt-token', { nth: fc.nat(15), how: fc.nat(KINDS_OF_GARBAGE - 1) }),
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
