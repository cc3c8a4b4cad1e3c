/**
 * What a run of the model is made of: a setting and a list of steps, both plain data, so that a schedule can be
 * generated, shrunk, printed, kept as a regression and replayed.
 */

import type { Hearing } from './simulated-log.ts'
import type { Weather } from './weather.ts'

/** The small tree that all schedules play in. */
export const KEYS: readonly (readonly (string | number)[])[] = [
  ['a'],
  ['a', 1],
  ['a', 2],
  ['b'],
  ['b', 1, 'x'],
]

/** What is invalidated: a prefix, or with `isExact` the key alone. */
export const TARGETS: readonly {
  readonly queryKey: readonly (string | number)[]
  readonly isExact: boolean
}[] = [
  { queryKey: ['a', 1], isExact: false },
  { queryKey: ['a'], isExact: false },
  { queryKey: [], isExact: false },
  { queryKey: ['b', 1], isExact: false },
  { queryKey: ['a'], isExact: true },
  { queryKey: ['a', 1], isExact: true },
  { queryKey: ['b'], isExact: false },
]

export type KeyClass = 'all' | 'entries' | 'tokens' | 'reads' | 'writes' | 'token-writes' | 'leases' | 'feed'

export interface Setting {
  /** Seeds what is random inside a run: weather, tokens, jitter. */
  readonly salt: number
  readonly workers: 2 | 3
  /** By worker: whether its store has `getMany`, `setMany` and `deleteMany`. */
  readonly hasBatches: readonly boolean[]
  /** By worker: how wrong its wall clock is, in milliseconds. */
  readonly skews: readonly number[]
  readonly honoursTtl: boolean
  readonly cacheMaxSize: number
  readonly gcTime: number
  readonly storageTtl: number
  readonly mostWrites: number
  readonly hasAdd: boolean
  readonly hasFeed: boolean
  readonly hasLeases: boolean
  readonly hasSnapshots: boolean
  /** Messages that the log keeps. */
  readonly feedLength: number
  /** The second worker cannot follow the log at first. */
  readonly beginsDeaf: boolean
}

export type Step = Action & {
  /** The next step follows in the same tick. */
  readonly rush: boolean
}

export type Action =
  | {
      readonly do: 'fetch'
      readonly w: number
      readonly k: number
      readonly staleTime: number
      readonly wait: boolean
    }
  | { readonly do: 'look'; readonly w: number; readonly k: number }
  | { readonly do: 'set'; readonly w: number; readonly k: number }
  | { readonly do: 'invalidate'; readonly w: number; readonly f: number }
  | { readonly do: 'remove'; readonly w: number; readonly f: number }
  | { readonly do: 'reset'; readonly w: number; readonly f: number }
  | { readonly do: 'cancel'; readonly w: number; readonly f: number }
  | { readonly do: 'clear'; readonly w: number }
  | { readonly do: 'crash'; readonly w: number }
  | { readonly do: 'close'; readonly w: number }
  | { readonly do: 'flush'; readonly w: number }
  | { readonly do: 'watch'; readonly w: number; readonly k: number; readonly staleTime: number }
  | { readonly do: 'unwatch'; readonly w: number }
  | { readonly do: 'flood'; readonly w: number }
  | { readonly do: 'skew'; readonly w: number; readonly by: number }
  | { readonly do: 'advance'; readonly ms: number }
  | { readonly do: 'origin'; readonly delay: number; readonly failures: number; readonly rich: boolean }
  | { readonly do: 'bump'; readonly k: number }
  /** `w` -1: for every worker. */
  | { readonly do: 'weather'; readonly w: number; readonly weather: Weather; readonly on: KeyClass }
  | { readonly do: 'lose-entry'; readonly k: number }
  | { readonly do: 'corrupt-entry'; readonly k: number; readonly how: number }
  /** The `nth` of the tokens that the store holds. */
  | { readonly do: 'lose-token'; readonly nth: number }
  | { readonly do: 'corrupt-token'; readonly nth: number; readonly how: number }
  | { readonly do: 'lose-tokens' }
  | { readonly do: 'lose-all' }
  /** Its process stands still, and its time with it; what is sent to it arrives when it goes on. */
  | { readonly do: 'suspend'; readonly w: number; readonly ms: number }
  /** How it hears of its peers; `w` -1: every worker. */
  | { readonly do: 'hearing'; readonly w: number; readonly hearing: Hearing }
  | { readonly do: 'trim-log'; readonly keep: number }
  | { readonly do: 'lose-leases' }

export interface Schedule {
  readonly setting: Setting
  readonly steps: readonly Step[]
}

/** One line for each step; what is printed can be pasted into `regressions/`. */
export function printSchedule({ setting, steps }: Schedule): string {
  const lines = steps.map((step) => `    ${literal(step)},`)
  return `{\n  setting: ${literal(setting)},\n  steps: [\n${lines.join('\n')}\n  ],\n}`
}

function literal(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).map(([name, field]) => `${name}: ${literal(field)}`)
    return `{ ${fields.join(', ')} }`
  }
  return typeof value === 'string' ? `'${value}'` : String(value)
}
