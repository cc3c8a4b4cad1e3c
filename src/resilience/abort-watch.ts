/**
 * Any number of waiters for one signal's abort, over one listener on it.
 *
 * A request's signal is handed to every fetch of that request, and Node warns of a leak at the eleventh listener.
 * Invariant: a signal has a listener of ours exactly while someone waits for it. Holds no signal by itself.
 */

interface Watched {
  readonly waiters: Set<() => void>
  readonly listener: () => void
}

export class AbortWatch {
  readonly #watched = new WeakMap<AbortSignal, Watched>()

  /** Calls `onAbort` once when `signal` is aborted. Returns the function that ends the waiting. */
  add(signal: AbortSignal, onAbort: () => void): () => void {
    const { waiters } = this.#watched.get(signal) ?? this.#begin(signal)
    waiters.add(onAbort)
    return () => {
      waiters.delete(onAbort)
      if (waiters.size === 0) this.#end(signal)
    }
  }

  #begin(signal: AbortSignal): Watched {
    const waiters = new Set<() => void>()
    const listener = (): void => {
      this.#watched.delete(signal)
      for (const onAbort of waiters) onAbort()
    }
    const watched = { waiters, listener }
    this.#watched.set(signal, watched)
    signal.addEventListener('abort', listener, { once: true })
    return watched
  }

  #end(signal: AbortSignal): void {
    const watched = this.#watched.get(signal)
    if (watched === undefined || watched.waiters.size > 0) return
    this.#watched.delete(signal)
    signal.removeEventListener('abort', watched.listener)
  }
}
