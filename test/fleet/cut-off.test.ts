/** A worker that is cut off from Redis while its peers are not, by real processes and a route that goes silent. */

import { expect, test } from 'vitest'
import { cutOff } from '../../bench/fleet/cut-off.mjs'

test.each(['silent', 'feed-silent'])(
  'a worker that is cut off (%s) takes nothing for fresh that peers have invalidated long ago, and is right again at its return',
  async (cut) => {
    const { rows, violations } = await cutOff({ cuts: cut, runs: 1, lengths: '4000' })
    expect(violations).toEqual([])
    expect(rows[0]).toMatchObject({ invalidations: expect.any(Number) })
  },
)
