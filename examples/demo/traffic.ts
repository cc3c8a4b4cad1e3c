/** Who wants what, and when: visitors who come at random, most of them for the same few airports. */

import { setTimeout as sleep } from 'node:timers/promises'

/** Zipf's law: the n-th most popular thing is wanted 1/n as often as the first. */
export class Popularity {
  readonly #cumulated: Float64Array

  constructor(size: number) {
    this.#cumulated = new Float64Array(size)
    let sum = 0
    for (let rank = 1; rank <= size; rank++) {
      sum += 1 / rank
      this.#cumulated[rank - 1] = sum
    }
  }

  /** An index, 0 the most often. */
  pick(): number {
    const cumulated = this.#cumulated
    const wanted = Math.random() * (cumulated.at(-1) ?? 0)
    let low = 0
    let high = cumulated.length - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if ((cumulated[middle] ?? 0) < wanted) low = middle + 1
      else high = middle
    }
    return low
  }
}

/**
 * So many visitors, each of whom visits, thinks for a while (exponentially distributed, `thinking` milliseconds on
 * average) and visits again. They wait for their answers, so a machine that is too slow gets fewer visits, not a queue.
 */
export async function visitors(
  count: number,
  thinking: number,
  signal: AbortSignal,
  visit: () => Promise<void>,
): Promise<void> {
  const visitor = async (): Promise<void> => {
    while (!signal.aborted) {
      await sleep(-Math.log(1 - Math.random()) * thinking)
      if (!signal.aborted) await visit()
    }
  }
  await Promise.all(Array.from({ length: count }, visitor))
}
