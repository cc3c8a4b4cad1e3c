/** Lets at most so many pieces of work run at a time; the rest wait in line. Owns nothing that would have to be closed. */

/** So many that have been let in stay in the line before it is moved up. */
const MOST_PASSED = 1_000

export class Gate {
  readonly #most: number
  #running = 0
  /** Who waits, in the order of their coming, behind `#passed` who do no longer. */
  #line: (() => void)[] = []
  #passed = 0

  constructor(most: number) {
    this.#most = most
  }

  async pass<T>(work: () => Promise<T>): Promise<T> {
    // Who is let in takes over the place of who leaves.
    if (this.#running < this.#most) this.#running++
    else await new Promise<void>((resolve) => this.#line.push(resolve))
    try {
      return await work()
    } finally {
      this.#leave()
    }
  }

  #leave(): void {
    const next = this.#line[this.#passed]
    if (next === undefined) {
      this.#running--
      return
    }
    // Many at a time: moving the line up costs as much as it is long, and so does finding the first of a set.
    if (++this.#passed > MOST_PASSED || this.#passed === this.#line.length) {
      this.#line = this.#line.slice(this.#passed)
      this.#passed = 0
    }
    next()
  }
}
