/** Lets at most so many pieces of work run at a time; the rest wait in line. Owns nothing that would have to be closed. */

export class Gate {
  readonly #most: number
  #running = 0
  /** Who waits, in the order of their coming: a set gives up its first in constant time. */
  readonly #line = new Set<() => void>()

  constructor(most: number) {
    this.#most = most
  }

  async pass<T>(work: () => Promise<T>): Promise<T> {
    // Who is let in takes over the place of who leaves.
    if (this.#running < this.#most) this.#running++
    else await new Promise<void>((resolve) => this.#line.add(resolve))
    try {
      return await work()
    } finally {
      const [next] = this.#line
      if (next === undefined) {
        this.#running--
      } else {
        this.#line.delete(next)
        next()
      }
    }
  }
}
