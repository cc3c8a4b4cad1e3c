// @ts-check
/**
 * The virtual time of a whole fleet, in ticks of a millisecond: what is due within one tick runs together. On top of
 * the one `VirtualClock`, which would look through the timers of a thousand workers at every step.
 */
import { VirtualClock } from '../../dist/testing/index.js'

export class TickingClock {
  #virtual = new VirtualClock({ drain: () => new Promise((resolve) => setImmediate(resolve)) })
  /** @type {Map<number, Set<{ run: () => void, tick: number }>>} by tick */
  #ticks = new Map()

  now() {
    return this.#virtual.now()
  }

  monotonic() {
    return this.#virtual.now()
  }

  /** @param {() => void} run @param {number} delay */
  setTimeout(run, delay) {
    if (delay === Number.POSITIVE_INFINITY) return undefined
    const tick = Math.ceil(this.#virtual.now() + Math.max(0, delay))
    const timer = { run, tick }
    const known = this.#ticks.get(tick)
    if (known !== undefined) {
      known.add(timer)
      return timer
    }
    this.#ticks.set(tick, new Set([timer]))
    this.#virtual.setTimeout(() => this.#ring(tick), tick - this.#virtual.now())
    return timer
  }

  /** @param {{ run: () => void, tick: number } | undefined} timer */
  clearTimeout(timer) {
    if (timer !== undefined) this.#ticks.get(timer.tick)?.delete(timer)
  }

  /** @param {number} milliseconds */
  advance(milliseconds) {
    return this.#virtual.advance(milliseconds)
  }

  /** @param {number} tick */
  #ring(tick) {
    const timers = this.#ticks.get(tick) ?? []
    this.#ticks.delete(tick)
    for (const { run } of timers) run()
  }
}
