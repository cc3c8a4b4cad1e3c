/** Counts and latencies of one kind of operation: cheap enough to be always on. */

export interface OperationStats {
  count: number
  failures: number
  timeouts: number
  /** Milliseconds, over all operations. */
  meanLatency: number
  /** Milliseconds. */
  maxLatency: number
}

export class LatencyMeter {
  #count = 0
  #failures = 0
  #timeouts = 0
  #total = 0
  #max = 0

  record(latency: number, result: 'ok' | 'failure' | 'timeout' | 'refused'): void {
    this.#count++
    this.#total += latency
    if (latency > this.#max) this.#max = latency
    if (result === 'failure') this.#failures++
    else if (result === 'timeout') this.#timeouts++
  }

  stats(): OperationStats {
    return {
      count: this.#count,
      failures: this.#failures,
      timeouts: this.#timeouts,
      meanLatency: this.#count === 0 ? 0 : this.#total / this.#count,
      maxLatency: this.#max,
    }
  }
}
