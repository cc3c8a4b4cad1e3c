/**
 * How schedules are generated: ordinary work with faults in between. Most schedules are narrow: two workers, nearly one
 * key, and the one prefix above it, so that what must meet for a bug to show does meet. Some follow a plot. The others use
 * all there is.
 */

import fc from 'fast-check'
import { actionOf, NARROW, type Scope, WIDE } from './actions.ts'
import { flooding, gap, holding, race } from './plays.ts'
import type { Schedule, Setting, Step } from './schedule.ts'

const isRushed = fc.constantFrom(false, false, false, true)

const stepsOf = (scope: Scope): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.tuple(actionOf(scope), isRushed).map(([what, rush]) => ({ ...what, rush })),
    { minLength: 1, maxLength: 32, size: 'max' },
  )

const steps = fc.oneof(
  { weight: 80, arbitrary: stepsOf(NARROW) },
  { weight: 40, arbitrary: stepsOf(WIDE) },
  { weight: 40, arbitrary: race },
  { weight: 15, arbitrary: holding },
  { weight: 15, arbitrary: gap },
  // Each takes as long as many others.
  { weight: 1, arbitrary: flooding },
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
    hasSnapshots: fc.boolean(),
    // A log that keeps less than a message of each worker would be one gap after the other.
    feedLength: fc.constantFrom(1_000, 1_000, 4),
    beginsDeaf: fc.constantFrom(false, false, false, true),
  },
  { noNullPrototype: true },
)

export const schedules: fc.Arbitrary<Schedule> = fc.record({ setting, steps }, { noNullPrototype: true })
