/** What peers hear of each other, by real processes: at work, and after one of them was stopped. */

import { describe, expect, test } from 'vitest'
import { invalidationTime } from '../../bench/fleet/invalidation-time.mjs'
import { lostRedis } from '../../bench/fleet/lost-redis.mjs'
import { suspendedFollower } from '../../bench/fleet/suspended-follower.mjs'

describe.each(['redis', 'sqlite'])('over %s', (storage) => {
  test('what one process removes leaves the L1 of all others', async () => {
    const outcome = await invalidationTime({ storage, runs: 20, processes: 4, load: 'none', pause: 10 })
    expect(outcome.violations).toEqual([])
  })

  test('a process that was stopped while its peers changed more than the log keeps is right again at once', async () => {
    const outcome = await suspendedFollower({ storage, runs: 1, changes: 600, logs: 'trimmed', stops: '0' })
    expect(outcome.violations).toEqual([])
    expect(outcome.rows[0]?.gaps).toBeGreaterThan(0)
  })
})

test('nobody believes what was invalidated before Redis came back empty', async () => {
  const outcome = await lostRedis({ faults: 'restart', runs: 1, library: 'ioredis' })
  expect(outcome.violations).toEqual([])
})
