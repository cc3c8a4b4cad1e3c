/**
 * A line in which things wait, first come, first served. What waits stands in one line at a time, and knows its neighbours,
 * so that coming, leaving and changing lines cost the same wherever it stands, and nothing is made for it. Pure.
 */

export interface InLine<T> {
  /** Where it stands; only lines write these three. */
  line: Line<T> | null
  before: T | null
  behind: T | null
}

export class Line<T> {
  #first: (T & InLine<T>) | null = null
  #last: (T & InLine<T>) | null = null
  #size = 0

  get first(): T | null {
    return this.#first
  }

  get size(): number {
    return this.#size
  }

  /** At the end; it leaves the line that it stood in. */
  add(item: T & InLine<T>): void {
    item.line?.remove(item)
    item.line = this
    item.before = this.#last
    if (this.#last === null) this.#first = item
    else this.#last.behind = item
    this.#last = item
    this.#size++
  }

  remove(item: T & InLine<T>): void {
    if (item.line !== this) return
    const before = item.before as (T & InLine<T>) | null
    const behind = item.behind as (T & InLine<T>) | null
    if (before === null) this.#first = behind
    else before.behind = behind
    if (behind === null) this.#last = before
    else behind.before = before
    item.line = null
    item.before = null
    item.behind = null
    this.#size--
  }

  /** Each that stands in it now may leave when its turn comes. */
  *[Symbol.iterator](): Generator<T, void, undefined> {
    let item = this.#first
    while (item !== null) {
      const next = item.behind as (T & InLine<T>) | null
      yield item
      item = next
    }
  }
}
