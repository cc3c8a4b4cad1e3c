/**
 * The budgets: what the library may cost, as ratios of rows that were measured side by side in one run. `npm run bench --
 * --check` fails where one is missed.
 */

import { pairedRatio } from './harness/statistics.mjs'

const FLAT = ['fresh-hit', 'flat key']
const FLOOR = 'floor: async Map.get'
const FRESH = 'stackquery, fresh options'
const ENTRIES = '100,000 entries'
const MAP = 'floor: Map of { data, t }'
const MISS = ['miss', 'new key each call']
const WRITES = ['write-behind', 'until the last is in the file']
const RAW_REDIS = 'floor: ioredis, auto-pipelined get + JSON.parse'
const RAW_SQLITE = 'floor: the driver, get + JSON.parse'
const RAW_LMDB = 'floor: lmdb, get + JSON.parse'
/** A timer is late by a little on a busy machine. */
const TIMER_TOLERANCE = 1.1
/** "As if there were no L2": it may be measured so much apart. */
const SAME = 1.5

/** `row` costs so many times what `of` does. */
const ratio = (row, of) => (cases, caseName) => pairedRatio(cases[caseName][row], cases[caseName][of])
/** A figure of a row by itself. */
const figure = (row, name) => (cases, caseName) => cases[caseName][row]?.[name]
/** The same row in two cases. */
const growth = (row, from) => (cases, caseName) =>
  cases[caseName]?.[row]?.nanoseconds / cases[from]?.[row]?.nanoseconds

const atMost = ([question, caseName], text, limit, measure) => ({
  question,
  caseName,
  text,
  limit,
  measure,
  sense: 'atMost',
})
const atLeast = (place, text, limit, measure) => ({
  ...atMost(place, text, limit, measure),
  sense: 'atLeast',
})

const BUDGETS = [
  atMost(FLAT, 'fresh hit, fresh options: x async Map.get', 2.5, ratio(FRESH, FLOOR)),
  atMost(FLAT, 'fresh hit, fresh options: x lru-cache fetch', 1.5, ratio(FRESH, 'lru-cache')),
  atLeast(FLAT, 'fresh hit: times faster than BentoCache', 15, ratio('bentocache', FRESH)),
  atLeast(FLAT, 'fresh hit: times faster than TanStack', 30, ratio('tanstack, fresh options', FRESH)),
  atMost(
    FLAT,
    'fresh hit, queryOptions() reused: x async Map.get',
    1.3,
    ratio('stackquery, queryOptions() reused', FLOOR),
  ),
  atMost(MISS, 'miss: x async-cache-dedupe', 1.5, ratio('stackquery', 'async-cache-dedupe')),
  atMost(
    ['dedupe', 'cold key'],
    '10,000 callers on one key: x async-cache-dedupe',
    1.5,
    ratio('stackquery', 'async-cache-dedupe'),
  ),
  atMost(
    ['invalidate', '100,000 entries'],
    'invalidation, 100,000 entries: x 1,000',
    3,
    growth('stackquery', '1,000 entries'),
  ),
  atMost(
    ['invalidate', '1,000,000 entries'],
    'invalidation, 1,000,000 entries: x 1,000',
    3,
    growth('stackquery', '1,000 entries'),
  ),
  atMost(
    ['memory', ENTRIES],
    'bytes per entry, fetched: x Map of { data, t }',
    2.5,
    ratio('stackquery, fetched', MAP),
  ),
  atMost(
    ['memory', ENTRIES],
    'bytes per entry, set: x Map of { data, t }',
    2.5,
    ratio('stackquery, set', MAP),
  ),
  atMost(
    ['l2-redis', '100 at a time'],
    'Redis, 100 at a time: x raw ioredis',
    1,
    ratio('stackquery', RAW_REDIS),
  ),
  atMost(
    ['l2-redis', 'one at a time'],
    'Redis, one at a time: x raw ioredis',
    1.15,
    ratio('stackquery', RAW_REDIS),
  ),
  atMost(
    ['l2-sqlite', '100 at a time'],
    'SQLite, 100 at a time: x raw driver',
    1.5,
    ratio('stackquery', RAW_SQLITE),
  ),
  atMost(
    ['l2-sqlite', 'one at a time'],
    'SQLite, one at a time: x raw driver',
    1.5,
    ratio('stackquery', RAW_SQLITE),
  ),
  atMost(['l2-disk', '100 at a time'], 'disk, 100 at a time: x raw LMDB', 1.5, ratio('stackquery', RAW_LMDB)),
  atMost(['l2-disk', 'one at a time'], 'disk, one at a time: x raw LMDB', 1.5, ratio('stackquery', RAW_LMDB)),
  atLeast(
    WRITES,
    'SQLite, 20,000 writes: times faster than a transaction each',
    4,
    ratio('the driver, a transaction per write', 'stackquery'),
  ),
  atMost(
    WRITES,
    'SQLite, 20,000 writes: event loop late, p99 in ms',
    10,
    figure('stackquery', 'p99 late ms'),
  ),
  atMost(
    ['hung-l2', 'the first'],
    'hung L2, first cold fetch: x storageTimeout',
    TIMER_TOLERANCE,
    (cases, name) => cases[name].stackquery?.nanoseconds / 250e6,
  ),
  atMost(
    ['hung-l2', 'the following ones'],
    'hung L2, following ones: x no L2 at all',
    SAME,
    ratio('stackquery', 'stackquery without an L2'),
  ),
  atMost(
    ['fleet', 'redis'],
    '8 processes on one cold key, Redis: origin calls',
    1,
    figure('stackquery', 'origin calls'),
  ),
  atMost(
    ['fleet', 'sqlite'],
    '8 processes on one cold key, SQLite: origin calls',
    1,
    figure('stackquery', 'origin calls'),
  ),
]

/** @returns each budget with what was measured; `isHeld` is undefined where nothing was */
export function judge(questions) {
  return BUDGETS.map(({ measure, ...budget }) => {
    const cases = questions[budget.question]?.cases
    const measured = cases?.[budget.caseName] === undefined ? undefined : measure(cases, budget.caseName)
    const value = Number.isFinite(measured) ? Number(measured.toPrecision(4)) : undefined
    const isWithin = budget.sense === 'atMost' ? value <= budget.limit : value >= budget.limit
    return { ...budget, value, isHeld: value === undefined ? undefined : isWithin }
  })
}
