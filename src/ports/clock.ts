/**
 * The port to time. Everything that the library knows of time goes through one `Clock`, so that tests run in
 * virtual time. Interfaces only; imports nothing.
 */

export interface Clock {
  /** Epoch milliseconds. */
  now(): number
  /** Calls `callback` once after `delay` milliseconds; must not keep the process alive. */
  setTimeout(callback: () => void, delay: number): unknown
  clearTimeout(handle: unknown): void
  /**
   * Lets a timer keep the process alive, or no longer: asked for while somebody waits for the outcome. Default: no timer
   * does.
   */
  keepAlive?(handle: unknown, isKept: boolean): void
  /** Milliseconds that never step back, from any start; deadlines use it. Default: `now`. */
  monotonic?(): number
}
