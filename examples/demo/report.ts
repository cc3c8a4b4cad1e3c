/** The table at the end, every figure of it measured, and what each means. Pure. */

import { count, duration, seconds, share } from './figures.ts'
import type { Restart } from './fleet.ts'
import { type FleetVerdict, LATEST } from './fleet-check.ts'
import { addLatencies, countOf, type Latencies, quantile } from './latencies.ts'
import { describe, type Options } from './options.ts'
import type { Origin } from './origin.ts'
import { type Counters, FIRST, WATCHED } from './reader.ts'
import { answersOf, SOURCES, type Tally, timesOf } from './tally.ts'

export interface Results {
  readonly options: Options
  readonly tally: Tally
  readonly verdict: FleetVerdict
  readonly origin: Pick<Origin, 'reads' | 'failures'>
  /** Of every process that has read. */
  readonly counters: readonly Counters[]
  readonly restart: Restart
}

const FOOTNOTES = `[1] L1 fresh: in memory and younger than staleTime. L1 stale: in memory, older, refreshed behind. L2: read from
    the store; origin: came over HTTP, after retries where it failed. Latencies as the caller saw them.
[2] Counted by the clients (stats().staleServes).
[3] Reads of airports that the origin counted, refreshes and retries among them.
[4] One call for each request, and not one more where the call fails.
[5] Each worker also ran a cache without L2 and asked it for the same airports; the origin counted its calls apart.
[6] From the call until the origin had confirmed the update and the invalidation was in L2, or given up on.
[7] Of the updates above, those that other workers held in memory: from the call of removeQueries or invalidateQueries until
    the last of these workers had dropped or marked it. Seen at the ${WATCHED} most popular airports.
[8] Of the first ${FIRST} answers that its memory did not have.
[9] Each answer is a version that the origin has had of that airport; none is older than what its worker has removed, also
    across the kill; none is fresh that its worker has invalidated.
[10] Every invalidation that L2 has acknowledged is known to the parent, and every answer of all workers is held against
    it: where L2 was asked, nothing older after the acknowledgement; from memory, nothing older ${LATEST / 1000} s after it.
What the killed worker had counted in its last 0.25 s died with it.`

export function report(results: Results): string {
  return [sourceTable(results.tally), factTable(results), FOOTNOTES].join('\n\n')
}

function sourceTable(tally: Tally): string {
  const all: Latencies = new Map()
  for (const source of SOURCES) addLatencies(all, tally.answers[source])
  const rows = [...SOURCES.map((source) => [source, tally.answers[source]] as const), ['all', all] as const]
  const total = countOf(all)
  return aligned([
    ['answered from [1]', 'answers', 'share', 'p50', 'p99'],
    ...rows.map(([name, latencies]) => [
      name,
      count(countOf(latencies)),
      share(countOf(latencies), total),
      duration(quantile(latencies, 0.5)),
      duration(quantile(latencies, 0.99)),
    ]),
  ])
}

function factTable({ options, tally, verdict, origin, counters, restart }: Results): string {
  const requests = answersOf(tally) + timesOf(tally.errors)
  const { shared, separate } = origin.reads
  const sum = (each: (counters: Counters) => number): number =>
    counters.reduce((all, one) => all + each(one), 0)
  const outages = sum(({ l2 }) => l2.outages)
  const lost = sum(({ l2 }) => l2.dropped)
  const { before, after, worker, downFor } = restart
  return facts([
    [
      'requests',
      count(requests),
      `${count(Math.round(requests / options.seconds))} a second over ${options.workers} workers`,
    ],
    [
      'stale serves',
      count(sum((one) => one.staleServes)),
      'from L1 or L2, each refreshed behind its answer [2]',
    ],
    ['origin calls', count(shared), `${count(origin.failures.shared)} errors among its answers [3]`],
    [
      '  saved',
      count(requests - shared),
      `${share(requests - shared, requests)} of what no cache would call [4]`,
    ],
    [
      '',
      count(separate - shared),
      `${share(separate - shared, separate)} of ${count(separate)} by separate caches [5]`,
    ],
    [
      'errors seen by callers',
      count(timesOf(tally.errors)),
      texts(tally.errors) || 'retries took care of them',
    ],
    [
      'updates',
      count(countOf(tally.updates)),
      `p50 ${duration(quantile(tally.updates, 0.5))}, p99 ${duration(quantile(tally.updates, 0.99))} [6]; ` +
        `${count(tally.optimistic)} answers showed one before it was confirmed`,
    ],
    ['told to all workers', count(countOf(verdict.reached)), told(verdict)],
    ['restarts survived', '1', `worker ${worker}, SIGKILL; reading again after ${seconds(downFor)}`],
    [
      '',
      '',
      `first answers from L2: ${first(before)} at its first start, ${first(after())} after the restart [8]`,
    ],
    [
      'outages of L2',
      count(outages),
      `${describe(options.storage)}${outages > 0 ? '; L1 went on alone' : ''}; ${count(lost)} writes dropped`,
    ],
    [
      'violations',
      count(timesOf(tally.violations)),
      texts(tally.violations) ||
        `${count(answersOf(tally))} answers checked, ${count(tally.afterUpdate)} of them after an own update [9],`,
    ],
    [
      '',
      '',
      `${count(verdict.answers)} after one of another worker, ${count(verdict.invalidations)} of which are known [10]`,
    ],
  ])
}

function told({ reached }: FleetVerdict): string {
  if (countOf(reached) === 0) return 'no other worker held what was invalidated'
  const [half, nearly, all] = [0.5, 0.99, 1].map((part) => duration(quantile(reached, part)))
  return `after p50 ${half}, p99 ${nearly}, at most ${all} the last of them had dropped it [7]`
}

function first(counters: Counters | undefined): string {
  return counters === undefined ? 'none' : `${counters.first.fromL2} of ${counters.first.count}`
}

/** The three most frequent. */
function texts(found: ReadonlyMap<string, number>): string {
  return [...found]
    .sort(([, a], [, b]) => b - a)
    .slice(0, 3)
    .map(([text, times]) => `${times} × ${text}`)
    .join('; ')
}

/** Name, figure and what is to be said about it. */
function facts(rows: readonly (readonly [string, string, string])[]): string {
  return rows.map(([name, figure, text]) => `${name.padEnd(22)}${figure.padStart(8)}   ${text}`).join('\n')
}

/** The first column to the left, the others to the right. */
function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart((widths[i] ?? 0) + 3)))
        .join(''),
    )
    .join('\n')
}
