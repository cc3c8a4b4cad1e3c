/** One origin call for all, by real processes, also when the one that makes it is lost. */

import { describe, expect, test } from 'vitest'
import { coldKey } from '../../bench/fleet/cold-key.mjs'
import { deadHolder } from '../../bench/fleet/dead-holder.mjs'
import { expiringKey } from '../../bench/fleet/expiring-key.mjs'

describe.each(['redis', 'sqlite'])('over %s', (storage) => {
  const small = { storage, processes: 3, callers: 200 }

  test('processes with hundreds of callers each on one cold key make one origin call', async () => {
    const { rows, violations } = await coldKey({ ...small, runs: 3 })
    expect(violations).toEqual([])
    expect(rows[0]).toMatchObject({ 'origin calls': 3 })
  })

  test('a key that grows stale under load is fetched by one of them at a time, and not before', async () => {
    expect((await expiringKey({ ...small, runs: 2 })).violations).toEqual([])
  })
})

test('a holder that was stopped brings nothing old back, and costs the others no more than its lease', async () => {
  const { rows, violations } = await deadHolder({
    storage: 'redis',
    runs: 1,
    processes: 3,
    signals: 'SIGSTOP',
  })
  expect(violations).toEqual([])
  expect(rows[0]).toMatchObject({ 'origin calls': 2 })
})
