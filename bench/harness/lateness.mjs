/**
 * By how much the event loop is late: a timer of one millisecond that is set again whenever it comes, by the wall. The
 * runtimes' own monitors do not agree on what they count (Node's has its interval in each figure, Bun's has not).
 */

import { performance } from 'node:perf_hooks'
import { quantile } from './statistics.mjs'

const INTERVAL = 1

/** @returns the function that ends it and gives `{ p99, most }` in milliseconds */
export function watchLateness() {
  const late = []
  let due = performance.now() + INTERVAL
  let timer = setTimeout(look, INTERVAL)

  function look() {
    const now = performance.now()
    late.push(Math.max(0, now - due))
    due = now + INTERVAL
    timer = setTimeout(look, INTERVAL)
  }

  return () => {
    clearTimeout(timer)
    // What the loop is late by now counts as well.
    late.push(Math.max(0, performance.now() - due))
    return { p99: quantile(late, 0.99), most: Math.max(...late) }
  }
}
