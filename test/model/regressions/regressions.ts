/**
 * Schedules that have failed once, each with what broke: they must pass for ever. Long because: it is a collection.
 */

import type { Schedule, Setting, Step } from '../schedule.ts'

export interface Regression {
  readonly name: string
  readonly schedule: Schedule
}

const SETTING: Setting = {
  salt: 0,
  workers: 2,
  hasBatches: [false, false, false],
  skews: [0, 0, 0],
  honoursTtl: false,
  cacheMaxSize: 1000,
  gcTime: 300_000,
  storageTtl: Infinity,
  mostWrites: 50_000,
  hasAdd: false,
  hasFeed: false,
  hasLeases: false,
  feedLength: 1_000,
  beginsDeaf: false,
}

const regression = (name: string, steps: readonly Step[], setting: Partial<Setting> = {}): Regression => ({
  name,
  schedule: { setting: { ...SETTING, ...setting }, steps },
})

export const REGRESSIONS: readonly Regression[] = [
  regression('data that was set, cleared from L1 and then removed by prefix came back from L2', [
    { do: 'weather', w: 1, weather: 'garbage', on: 'all', rush: false },
    { do: 'set', w: 1, k: 1, rush: false },
    { do: 'clear', w: 1, rush: false },
    { do: 'remove', w: 1, f: 1, rush: false },
    { do: 'advance', ms: 6000, rush: false },
    { do: 'fetch', w: 0, k: 1, staleTime: Infinity, wait: false, rush: false },
  ]),
  regression('close blocked the event loop for ever while a lost write was waited for', [
    { do: 'set', w: 1, k: 1, rush: false },
    { do: 'weather', w: 1, weather: 'lost-answers', on: 'token-writes', rush: false },
    { do: 'remove', w: 1, f: 0, rush: false },
    { do: 'advance', ms: 1000, rush: false },
    { do: 'close', w: 1, rush: false },
    { do: 'advance', ms: 1000, rush: false },
  ]),
  regression('callers waited for L2 after the circuit had opened', [
    { do: 'weather', w: 0, weather: 'throws', on: 'writes', rush: false },
    { do: 'fetch', w: 0, k: 1, staleTime: Infinity, wait: false, rush: false },
    { do: 'clear', w: 0, rush: false },
    { do: 'fetch', w: 0, k: 1, staleTime: Infinity, wait: false, rush: false },
    { do: 'bump', k: 1, rush: false },
  ]),
  regression(
    'a token that was sent twice brought back what another worker had removed in between',
    [
      { do: 'origin', delay: 1, failures: 0, rich: false, rush: false },
      { do: 'fetch', w: 0, k: 1, staleTime: Infinity, wait: false, rush: false },
      { do: 'advance', ms: 20, rush: false },
      { do: 'weather', w: 0, weather: 'lost-answers', on: 'token-writes', rush: false },
      { do: 'remove', w: 0, f: 1, rush: false },
      { do: 'advance', ms: 20, rush: false },
      { do: 'fetch', w: 1, k: 1, staleTime: Infinity, wait: false, rush: false },
      { do: 'advance', ms: 1, rush: false },
      { do: 'clear', w: 1, rush: false },
      { do: 'remove', w: 1, f: 1, rush: false },
      { do: 'weather', w: 0, weather: 'calm', on: 'all', rush: false },
      { do: 'advance', ms: 6000, rush: false },
      { do: 'look', w: 1, k: 1, rush: false },
    ],
    { salt: 13 },
  ),
  regression('a removal by another worker was not seen between the effect and the answer of an own one', [
    { do: 'origin', delay: 1, failures: 0, rich: false, rush: false },
    { do: 'fetch', w: 0, k: 1, staleTime: Infinity, wait: false, rush: false },
    { do: 'advance', ms: 20, rush: false },
    { do: 'clear', w: 0, rush: false },
    { do: 'weather', w: 0, weather: 'slow-answers', on: 'token-writes', rush: false },
    { do: 'remove', w: 0, f: 1, rush: false },
    { do: 'fetch', w: 1, k: 1, staleTime: Infinity, wait: false, rush: false },
    { do: 'advance', ms: 1, rush: false },
    { do: 'clear', w: 1, rush: false },
    { do: 'remove', w: 1, f: 1, rush: false },
    { do: 'look', w: 0, k: 1, rush: false },
    { do: 'advance', ms: 250, rush: false },
  ]),
  regression('a fetch that began under a removal on its way to L2 outlives no later one', [
    { do: 'origin', delay: 1, failures: 0, rich: false, rush: false },
    { do: 'fetch', w: 0, k: 1, staleTime: Infinity, wait: false, rush: false },
    { do: 'advance', ms: 20, rush: false },
    { do: 'weather', w: 0, weather: 'down', on: 'writes', rush: false },
    { do: 'remove', w: 0, f: 1, rush: false },
    { do: 'remove', w: 0, f: 1, rush: false },
    { do: 'advance', ms: 250, rush: false },
    { do: 'fetch', w: 0, k: 1, staleTime: Infinity, wait: false, rush: false },
    { do: 'advance', ms: 100, rush: false },
    { do: 'clear', w: 0, rush: false },
    { do: 'remove', w: 1, f: 1, rush: false },
    { do: 'weather', w: 0, weather: 'calm', on: 'all', rush: false },
    { do: 'advance', ms: 6000, rush: false },
    { do: 'look', w: 1, k: 1, rush: false },
  ]),
  regression(
    'a caller who wants no stale data waited for L2 twice',
    [
      { do: 'weather', w: 0, weather: 'slow', on: 'tokens', rush: false },
      { do: 'fetch', w: 1, k: 1, staleTime: Infinity, wait: false, rush: false },
      { do: 'invalidate', w: 0, f: 1, rush: false },
      { do: 'set', w: 1, k: 1, rush: false },
      { do: 'fetch', w: 0, k: 1, staleTime: Infinity, wait: true, rush: false },
      { do: 'invalidate', w: 0, f: 0, rush: false },
      { do: 'advance', ms: 1000, rush: false },
      { do: 'lose-token', nth: 0, rush: false },
    ],
    { hasBatches: [true, false, false] },
  ),
  regression(
    'a write that waits was served where L2 had not named all generations',
    [
      { do: 'fetch', w: 1, k: 1, staleTime: Infinity, wait: false, rush: false },
      { do: 'advance', ms: 250, rush: false },
      { do: 'weather', w: -1, weather: 'lost-answers', on: 'all', rush: false },
      { do: 'set', w: 1, k: 1, rush: false },
      { do: 'weather', w: 1, weather: 'flaky', on: 'all', rush: false },
      { do: 'weather', w: 0, weather: 'calm', on: 'all', rush: false },
      { do: 'clear', w: 1, rush: false },
      { do: 'remove', w: 0, f: 0, rush: false },
      { do: 'fetch', w: 1, k: 1, staleTime: Infinity, wait: false, rush: false },
    ],
    { storageTtl: Infinity },
  ),
  regression('data that was read a moment before its invalidation counted as fresh after it', [
    { do: 'look', w: 1, k: 1, rush: false },
    { do: 'weather', w: -1, weather: 'mute', on: 'all', rush: false },
    { do: 'set', w: 1, k: 1, rush: false },
    { do: 'advance', ms: 250, rush: false },
    { do: 'clear', w: 1, rush: false },
    { do: 'fetch', w: 1, k: 1, staleTime: Infinity, wait: false, rush: true },
    { do: 'invalidate', w: 1, f: 0, rush: false },
  ]),
  regression('a fetch that was overtaken softly put its data back after a removal', [
    { do: 'watch', w: 0, k: 1, staleTime: Infinity, rush: false },
    { do: 'invalidate', w: 0, f: 0, rush: false },
    { do: 'remove', w: 0, f: 0, rush: false },
    { do: 'look', w: 0, k: 1, rush: false },
  ]),
  regression('a wall clock that stepped back by an hour held back the writes for an hour', [
    { do: 'set', w: 1, k: 1, rush: false },
    { do: 'skew', w: 1, by: -3_600_000, rush: false },
    { do: 'origin', delay: 20, failures: 0, rich: false, rush: false },
  ]),
  regression('a cancelled key had two origin calls at a time', [
    { do: 'fetch', w: 0, k: 1, staleTime: Infinity, wait: false, rush: false },
    { do: 'remove', w: 0, f: 0, rush: false },
    { do: 'look', w: 0, k: 1, rush: false },
    { do: 'cancel', w: 0, f: 0, rush: false },
    { do: 'fetch', w: 0, k: 1, staleTime: Infinity, wait: false, rush: false },
  ]),
  regression('what an invalidation had overtaken called the origin again after it was cancelled', [
    { do: 'origin', delay: 20, failures: 1, rich: false, rush: false },
    { do: 'fetch', w: 1, k: 1, staleTime: Infinity, wait: false, rush: false },
    { do: 'clear', w: 1, rush: false },
    { do: 'set', w: 1, k: 1, rush: false },
    { do: 'cancel', w: 1, f: 0, rush: false },
    { do: 'origin', delay: 150, failures: 1, rich: false, rush: false },
    { do: 'advance', ms: 100, rush: false },
    { do: 'fetch', w: 1, k: 1, staleTime: 0, wait: false, rush: false },
  ]),
  regression(
    'what is no token stood in the way of one for ever where the store has `add`',
    [
      { do: 'fetch', w: 0, k: 1, staleTime: Infinity, wait: false, rush: false },
      { do: 'corrupt-token', nth: 1, how: 0, rush: false },
      { do: 'look', w: 0, k: 1, rush: false },
    ],
    { hasAdd: true },
  ),
  regression('without a feed a copy outlived its removal where the store had lost a token of it', [
    { do: 'fetch', w: 0, k: 1, staleTime: Infinity, wait: false, rush: false },
    { do: 'remove', w: 1, f: 0, rush: false },
    { do: 'corrupt-token', nth: 0, how: 0, rush: false },
  ]),
  regression(
    'without a feed a removal was not looked for where an own invalidation had overtaken the fetch',
    [
      { do: 'fetch', w: 0, k: 1, staleTime: Infinity, wait: false, rush: false },
      { do: 'remove', w: 1, f: 0, rush: false },
      { do: 'invalidate', w: 0, f: 0, rush: false },
    ],
  ),
  regression(
    'a copy outlived a gap because its observer had left before it was read again',
    [
      { do: 'origin', delay: 150, failures: 0, rich: false, rush: false },
      { do: 'fetch', w: 0, k: 3, staleTime: Infinity, wait: false, rush: false },
      { do: 'advance', ms: 6000, rush: false },
      { do: 'watch', w: 1, k: 3, staleTime: Infinity, rush: false },
      { do: 'remove', w: 0, f: 6, rush: false },
      { do: 'invalidate', w: 0, f: 0, rush: false },
      { do: 'invalidate', w: 0, f: 0, rush: false },
      { do: 'advance', ms: 20, rush: false },
      { do: 'unwatch', w: 1, rush: false },
    ],
    { hasFeed: true, feedLength: 2 },
  ),
  regression(
    'a caller who wants no stale data got what another worker had fetched before the invalidation',
    [
      { do: 'set', w: 0, k: 1, rush: false },
      { do: 'fetch', w: 0, k: 1, staleTime: 0, wait: false, rush: false },
      { do: 'invalidate', w: 1, f: 0, rush: false },
      { do: 'fetch', w: 1, k: 1, staleTime: Infinity, wait: true, rush: false },
    ],
    { hasLeases: true },
  ),
  regression(
    'a holder whose write L2 did not take kept the others waiting for half a minute',
    [
      { do: 'weather', w: -1, weather: 'late-refusals', on: 'entries', rush: false },
      { do: 'watch', w: 0, k: 1, staleTime: Infinity, rush: false },
      { do: 'fetch', w: 1, k: 1, staleTime: Infinity, wait: false, rush: false },
      { do: 'advance', ms: 61_000, rush: false },
      { do: 'advance', ms: 0, rush: false },
    ],
    { hasLeases: true },
  ),
  regression(
    'a worker whose feed never answered that it was followed heard of no peer, ever',
    [
      { do: 'weather', w: -1, weather: 'mute', on: 'feed', rush: false },
      { do: 'crash', w: 0, rush: false },
      { do: 'fetch', w: 0, k: 1, staleTime: Infinity, wait: false, rush: false },
      { do: 'advance', ms: 6_000, rush: false },
      { do: 'weather', w: -1, weather: 'calm', on: 'all', rush: false },
      { do: 'invalidate', w: 1, f: 0, rush: false },
    ],
    { hasFeed: true },
  ),
]
