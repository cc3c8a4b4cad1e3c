/** What is counted in a worker, sent to the parent piece by piece, and added up there. Plain data. */

import { addLatencies, countOf, type Latencies, record } from './latencies.ts'

export const SOURCES = ['L1 fresh', 'L1 stale', 'L2', 'origin'] as const
/** Where a caller's answer came from. */
export type Source = (typeof SOURCES)[number]

export interface Tally {
  readonly answers: Record<Source, Latencies>
  /** From the call of an update until the origin had it and L2 had the invalidation. */
  readonly updates: Latencies
  /** Answers that showed an update of the same worker before the origin had confirmed it. */
  optimistic: number
  /** Answers that were held against an update or removal of the same worker. */
  afterUpdate: number
  /** What went wrong, each text with how often. */
  readonly errors: Map<string, number>
  readonly violations: Map<string, number>
}

export function emptyTally(): Tally {
  return {
    answers: { 'L1 fresh': new Map(), 'L1 stale': new Map(), L2: new Map(), origin: new Map() },
    updates: new Map(),
    optimistic: 0,
    afterUpdate: 0,
    errors: new Map(),
    violations: new Map(),
  }
}

export function countAnswer(tally: Tally, source: Source, latency: number): void {
  record(tally.answers[source], latency)
}

export function countText(texts: Map<string, number>, text: string, times = 1): void {
  texts.set(text, (texts.get(text) ?? 0) + times)
}

export function addTally(into: Tally, more: Tally): void {
  for (const source of SOURCES) addLatencies(into.answers[source], more.answers[source])
  addLatencies(into.updates, more.updates)
  into.optimistic += more.optimistic
  into.afterUpdate += more.afterUpdate
  for (const [text, times] of more.errors) countText(into.errors, text, times)
  for (const [text, times] of more.violations) countText(into.violations, text, times)
}

export function answersOf(tally: Tally): number {
  return SOURCES.reduce((sum, source) => sum + countOf(tally.answers[source]), 0)
}

export function timesOf(texts: ReadonlyMap<string, number>): number {
  let times = 0
  for (const each of texts.values()) times += each
  return times
}
