/** What a contestant has to prove before and after it is timed. */

import assert from 'node:assert/strict'

/** One call gives `expected`. */
export function answers(once, expected) {
  return async () => assert.deepEqual(await once(0), expected)
}

/** A queryFn that counts its calls, and the check that there were no more than `most`. */
export function origin(get, most = Number.POSITIVE_INFINITY) {
  const origin = {
    calls: 0,
    get: async (...given) => {
      origin.calls++
      return get(...given)
    },
    check() {
      assert.ok(origin.calls <= most, `the origin was called ${origin.calls} times, expected at most ${most}`)
    },
  }
  return origin
}
