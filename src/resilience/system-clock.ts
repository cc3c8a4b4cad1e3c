/**
 * The clock of the platform: wall time, and timers that are unref'd and belong to no request.
 *
 * A timer keeps the async context (a request's `AsyncLocalStorage`) that it was made in for as long as it
 * runs, so a client's one timer would hold on to whichever request happened to arm it. The context captured
 * when this module was loaded holds none.
 */

import type { Clock } from '../ports/clock.ts'

type RunOutside = <A extends unknown[], R>(run: (...given: A) => R, ...given: A) => R

interface Platform {
  getBuiltinModule?(name: string): { AsyncLocalStorage?: { snapshot?(): RunOutside } } | undefined
}

const platform = (globalThis as { process?: Platform }).process
/** Runs it in no request's async context. */
export const outsideOfRequests: RunOutside =
  platform?.getBuiltinModule?.('node:async_hooks')?.AsyncLocalStorage?.snapshot?.() ??
  ((run, ...given) => run(...given))

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout: (callback, delay) => outsideOfRequests(startTimer, callback, delay),
  clearTimeout: (handle) => clearTimeout(handle as Parameters<typeof clearTimeout>[0]),
  keepAlive: (handle, isKept) => {
    if (!isCountedTimer(handle)) return
    if (isKept) handle.ref()
    else handle.unref()
  },
}

function startTimer(callback: () => void, delay: number): unknown {
  const handle: unknown = setTimeout(callback, delay)
  if (isCountedTimer(handle)) handle.unref()
  return handle
}

/** A browser's handle is a number and keeps nothing alive. */
function isCountedTimer(handle: unknown): handle is { ref(): void; unref(): void } {
  return typeof handle === 'object' && handle !== null && 'unref' in handle && 'ref' in handle
}
