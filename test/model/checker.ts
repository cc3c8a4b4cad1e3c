/**
 * The promises, as conditions on what can be seen from outside. Checked after every event for every worker that the
 * event may have changed, and at every answer that a caller gets.
 *
 * P4, P5 in a worker: what its L1 holds, and what its calls return, did not begin before an invalidation that was
 *   called in this worker before the call; after a soft one it is marked as invalidated.
 * P4 between workers: what enters L1 from L2, or is returned without ever having been in L1, did not begin before an
 *   invalidation that was acknowledged before L2 was consulted for it. "Consulted": the first time, within the last
 *   `storageTimeout`, that the worker read the entry or the hard token of the very key; without any the circuit was open. L1
 *   copies, and fetches that run, are exempt in other workers until these have heard of it: see `fleet-checks.ts`.
 * P7: as long as L1 holds a key without a break, `dataUpdatedAt` steps back by `setQueryData` alone, and what comes from
 *   L2 is younger than what it replaces. Eviction, removal, reset, `clear` and restart are breaks.
 */

import type { QueryState } from '../../src/index.ts'
import { untrueCopy } from './fleet-checks.ts'
import type { Incarnation } from './incarnation.ts'
import { type Datum, doesMean, type Invalidation, type Ledger } from './ledger.ts'
import { KEYS } from './schedule.ts'

export interface Call {
  readonly life: Incarnation
  readonly k: number
  readonly seq: number
  readonly at: number
  readonly kind: 'serve' | 'wait' | 'look'
  /** What L1 held. */
  readonly held: Datum | null
  /** Nothing of this key was under way, so that its delays are its own. */
  readonly isAlone: boolean
  readonly isCircuitOpen: boolean
  originBeganAt: number
}

export class Checker {
  readonly #ledger: Ledger
  readonly #now: () => number
  readonly #logEnd: () => number
  readonly #onViolation: (promise: string, what: string) => void

  constructor(
    ledger: Ledger,
    now: () => number,
    logEnd: () => number,
    onViolation: (promise: string, what: string) => void,
  ) {
    this.#ledger = ledger
    this.#now = now
    this.#logEnd = logEnd
    this.#onViolation = onViolation
  }

  check(life: Incarnation): void {
    if (!life.isAlive) return
    const { client, seen, port } = life
    if (port.unanswered > 1_000) this.#checkBounds(life)
    if (life.unacknowledged > 0) this.#acknowledgeReplayed(life)
    if (life.untold > 0) this.#noteTold(life)
    if (life.isSuspended) return
    const touched = life.touched
    if (touched === 0) return
    life.touched = 0
    if (life.isClosing) return
    for (let k = 0; k < KEYS.length; k++) {
      if ((touched & (1 << k)) === 0) continue
      const state = client.getQueryState(KEYS[k] as never)
      if (state?.data === undefined) {
        seen[k] = null
        continue
      }
      this.#checkHeld(life, k, state)
    }
  }

  /** A call has returned `value`. */
  checkAnswer(call: Call, value: unknown): void {
    const { life, k } = call
    if (value === undefined) return
    const datum = this.#identify(life, k, value)
    if (datum === null) return
    const began = this.#ledger.beganFor(datum, life)
    const hard = this.#ledger.lastCall(life, k, 'hard', call.seq)
    const soft = this.#ledger.lastCall(life, k, 'soft', call.seq)
    if (began < hard) {
      this.#onViolation('P4', `${life.name} was answered with ${name(datum)}, which it had removed`)
    }
    if (call.kind === 'wait' && began < soft) {
      this.#onViolation('P4', `${life.name} waited for fresh ${name(datum)} and got what it had invalidated`)
    }
    const isOwn = datum.by === life
    const wasRunning = isOwn && datum.kind === 'origin' && datum.ended > call.seq
    if (call.kind !== 'look' && wasRunning && began < Math.max(hard, soft)) {
      this.#onViolation('P5', `${life.name} joined the fetch of ${name(datum)}, which it had invalidated`)
    }
    const isKnown = isOwn || call.held === datum || life.seen[k]?.datum === datum
    if (!isKnown) this.#admit(life, datum, call.kind === 'wait')
  }

  #checkHeld(life: Incarnation, k: number, state: QueryState<unknown>): void {
    const datum = this.#identify(life, k, state.data)
    if (datum === null) return
    const { dataUpdatedAt: updatedAt, isInvalidated, source } = state
    const before = life.seen[k] ?? null
    if (!Number.isFinite(updatedAt))
      this.#onViolation('P10', `${name(datum)} is of ${updatedAt} in ${life.name}`)
    life.seen[k] = { datum, updatedAt, isInvalidated }
    const untrue = untrueCopy(life, datum, isInvalidated, this.#ledger, this.#now(), false)
    if (untrue !== null)
      this.#onViolation('P4', `${life.name} holds ${name(datum)} after it has heard of ${untrue}`)
    const began = this.#ledger.beganFor(datum, life)
    if (began < (life.hardAt[k] as number)) {
      this.#onViolation('P4', `${life.name} holds ${name(datum)} after it has removed it`)
    }
    if (!isInvalidated && began < (life.softAt[k] as number)) {
      this.#onViolation('P5', `${life.name} holds ${name(datum)} as fresh after it has invalidated it`)
    }
    if (before?.datum === datum) {
      if (updatedAt < before.updatedAt && !this.#mayHaveEvicted(life))
        this.#onViolation('P7', `${name(datum)} grew older in ${life.name}`)
      return
    }
    if (
      before !== null &&
      source !== 'manual' &&
      updatedAt < before.updatedAt &&
      !this.#mayHaveEvicted(life)
    ) {
      this.#onViolation(
        'P7',
        `${life.name} went back from ${name(before.datum)} (${before.updatedAt}) to ${name(datum)} (${updatedAt})`,
      )
    }
    if (source !== 'storage') return
    if (before !== null && datum.updatedAt <= before.updatedAt && !this.#mayHaveEvicted(life)) {
      this.#onViolation('P7', `in ${life.name} L2's ${name(datum)} replaced the newer ${name(before.datum)}`)
    }
    this.#admit(life, datum, !isInvalidated)
  }

  /** Data enters a worker from L2. */
  #admit(life: Incarnation, datum: Datum, isFresh: boolean): void {
    const consulted = this.#consultedAt(life, datum.k)
    for (const invalidation of this.#ledger.invalidations) {
      const { by, kind, f, called, acknowledged } = invalidation
      if (by === life || acknowledged >= consulted || !doesMean(f, datum.k)) continue
      if (this.#ledger.beganFor(datum, by) >= called) continue
      if (kind === 'soft' && !isFresh) continue
      const what = kind === 'hard' ? 'got' : 'got as fresh'
      this.#onViolation(
        'P4',
        `${life.name} ${what} ${name(datum)} from L2, overtaken by ${nameOf(invalidation)} long before`,
      )
    }
  }

  #consultedAt(life: Incarnation, k: number): number {
    const since = life.awaitsSince(this.#now())
    const asked = life.asked[k]?.find(({ at }) => at >= since)
    return asked?.seq ?? 0
  }

  /** An eviction is seen in the statistics alone, which are looked at only when it matters. */
  #mayHaveEvicted(life: Incarnation): boolean {
    return life.client.stats().evictions > 0
  }

  #acknowledgeReplayed(life: Incarnation): void {
    const { storage } = life.client.stats()
    if (storage?.pending !== 0 || storage.circuit !== 'closed') return
    life.unacknowledged = 0
    for (const invalidation of this.#ledger.invalidations) {
      if (invalidation.by === life && invalidation.acknowledged === Number.POSITIVE_INFINITY)
        invalidation.acknowledged = this.#ledger.tick()
    }
  }

  /** A message that waits is told later; one that does not is in the log. */
  #noteTold(life: Incarnation): void {
    const { storage, fleet } = life.client.stats()
    if (storage?.pending !== 0 || storage.circuit !== 'closed' || fleet === null || fleet.untold > 0) return
    life.untold = 0
    for (const each of this.#ledger.invalidations)
      if (each.by === life && each.acknowledged < Infinity && each.told === Infinity)
        each.told = this.#logEnd()
  }

  #checkBounds(life: Incarnation): void {
    const { storage } = life.client.stats()
    const { unanswered } = life.port
    // Calls, and the probe's two.
    const most = 1_003
    if (storage !== null && storage.inFlight > most)
      this.#onViolation('P11', `${life.name} has ${storage.inFlight} in flight`)
    if (storage !== null && unanswered > most * (storage.outages + 1))
      this.#onViolation('P11', `${life.name} waits for ${unanswered} answers`)
  }

  #identify(life: Incarnation, k: number, value: unknown): Datum | null {
    const datum = this.#ledger.identify(value, k)
    if (typeof datum !== 'string') return datum
    this.#onViolation('P12', `${life.name} got ${datum}`)
    return null
  }
}

export function name({ id, k, by, kind }: Datum): string {
  return `#${id} (${JSON.stringify(KEYS[k])}, ${kind} of ${by.name})`
}

function nameOf({ by, kind, called }: Invalidation): string {
  return `the ${kind} invalidation of ${by.name} at ${called}`
}
