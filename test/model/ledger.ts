/**
 * What the checker knows to be true: every datum with the moment at which its getting began, every invalidation with
 * the moments at which it was called and acknowledged. Moments are numbers of one sequence over the whole run.
 *
 * An invalidation is acknowledged when its promise resolves before `storageTimeout` with the circuit closed at its call and
 * at its end (then L2 has taken it), or when its worker, later, has no write pending: then it was replayed.
 */

import { KEYS, TARGETS } from './schedule.ts'

export interface Author {
  readonly name: string
}

export interface Datum {
  readonly id: number
  readonly k: number
  readonly version: number
  readonly by: Author
  readonly kind: 'origin' | 'manual'
  /** When its origin call began, or when it was set. */
  readonly began: number
  /** Holds what JSON cannot carry. */
  readonly isRich: boolean
  readonly value: { readonly id: number }
  readonly text: string
  /** When its origin call ended. */
  ended: number
  /** When its author first sent it to the store. */
  sent: number
  /** `dataUpdatedAt`, as its author told L2. */
  updatedAt: number
}

export interface Invalidation {
  readonly by: Author
  readonly f: number
  readonly kind: 'hard' | 'soft'
  readonly called: number
  acknowledged: number
  /** The position in the log up to which one has to hear to know of it. */
  told: number
}

/** By target, then by key: whether the first means the second. */
const MEANS: readonly (readonly boolean[])[] = TARGETS.map(({ queryKey, isExact }) =>
  KEYS.map(
    (key) =>
      (isExact ? key.length === queryKey.length : key.length >= queryKey.length) &&
      queryKey.every((part, i) => part === key[i]),
  ),
)

export function doesMean(f: number, k: number): boolean {
  return MEANS[f]?.[k] === true
}

const PAYLOADS: readonly unknown[] = [
  { n: -1.5e-7, none: null, list: [], empty: {} },
  'quoted "é" \u2028 \\u005f',
  [[1, [2]], false, 0, ''],
]

export class Ledger {
  readonly data: Datum[] = []
  readonly invalidations: Invalidation[] = []
  #seq = 0
  readonly #verified = new WeakSet<object>()

  tick(): number {
    return ++this.#seq
  }

  make(k: number, version: number, by: Author, kind: Datum['kind'], isRich: boolean): Datum {
    const id = this.data.length
    const payload = isRich ? new Date(id) : PAYLOADS[id % PAYLOADS.length]
    const value = { id, k, version, by: by.name, payload }
    const datum = { id, k, version, by, kind, isRich, value, text: JSON.stringify(value) }
    const whole: Datum = { ...datum, began: this.tick(), ended: Infinity, sent: Infinity, updatedAt: 0 }
    this.data.push(whole)
    this.#verified.add(value)
    return whole
  }

  /** The datum that a value is, to the last bit; otherwise what is wrong with it. */
  identify(value: unknown, k: number): Datum | string {
    if (typeof value !== 'object' || value === null) return `a value that nobody made: ${String(value)}`
    const { id } = value as { id?: unknown }
    const datum = typeof id === 'number' ? this.data[id] : undefined
    if (datum === undefined) return `a value that nobody made: ${JSON.stringify(value)}`
    if (datum.k !== k) return `data of another key: ${JSON.stringify(value)}`
    if (datum.value === value || this.#verified.has(value)) return datum
    if (Object.hasOwn(value, '__proto__') || JSON.stringify(value) !== datum.text || datum.isRich) {
      return `a changed value: ${JSON.stringify(value)} instead of ${datum.text}`
    }
    this.#verified.add(value)
    return datum
  }

  /** The latest invalidation of a key that was called in a worker before a moment; 0 = none. */
  lastCall(by: Author, k: number, kind: Invalidation['kind'], before: number): number {
    let last = 0
    for (const each of this.invalidations) {
      if (each.by === by && each.kind === kind && each.called < before && doesMean(each.f, k))
        last = each.called
    }
    return last
  }

  /** An entry is on its way to the store. */
  noteSent(text: string): void {
    const match = /^\{"v":1,"c":"\w+","t":([\d.]+),.*?"d":\{"id":(\d+),/.exec(text)
    const datum = match === null ? undefined : this.data[Number(match[2])]
    if (datum === undefined) return
    datum.updatedAt = Number(match?.[1])
    if (datum.sent === Number.POSITIVE_INFINITY) datum.sent = this.tick()
  }

  /**
   * The moment before which an invalidation of `by` overtakes a datum. Manual data may be given its generations as
   * late as when it is written; for its own worker it is as old as its setting.
   */
  beganFor(datum: Datum, by: Author): number {
    return datum.kind === 'manual' && datum.by !== by ? datum.sent : datum.began
  }
}
