/**
 * The part of `ChaosStorage` that knows no backend: which faults meet a call, and what they do to it.
 *
 * Invariants: a call is counted before any fault applies; it meets the faults in the order they were switched
 * on; the same seed, faults and calls give the same failures. States of a call: running, hanging (until it is
 * released), done. Timers: those of delays, in the given clock, never cleared. Nothing to close.
 * May import the clock port and its own folder.
 */

import type { Clock } from '../ports/clock.ts'
import type { Awaitable } from '../ports/storage.ts'
import {
  type Fault,
  FaultRule,
  type FaultScope,
  STORAGE_OPERATIONS,
  type StorageOperation,
} from './chaos-fault.ts'
import { garble, garbleMany } from './garbage.ts'
import { seededRandom } from './seeded-random.ts'

export interface ChaosCall<T> {
  readonly operation: StorageOperation
  readonly keys: readonly string[]
  run(): Awaitable<T>
  /** Does a part of the work. */
  runPart?(): Awaitable<unknown>
  /** What garbage replaces: one value, or each of a batch. */
  readonly answers?: 'one' | 'many'
  /** Makes the keys disappear, before a read or after a write. */
  lose?: { readonly when: 'before' | 'after'; run(): Awaitable<unknown> } | undefined
}

type CallName = Pick<ChaosCall<unknown>, 'operation' | 'keys' | 'answers'>

export class ChaosEngine {
  readonly calls: Record<StorageOperation, number>
  readonly hanging = new Set<(outcome: 'answer' | 'reject') => void>()
  readonly random: () => number
  inFlight = 0
  mostInFlight = 0
  readonly #clock: Pick<Clock, 'setTimeout'>
  #rules: FaultRule[] = []

  constructor(clock: Pick<Clock, 'setTimeout'>, seed: number) {
    this.#clock = clock
    this.random = seededRandom(seed)
    this.calls = Object.fromEntries(STORAGE_OPERATIONS.map((name) => [name, 0])) as typeof this.calls
  }

  add(fault: Fault, scope: FaultScope): () => void {
    const rule = new FaultRule(fault, scope, this.random)
    this.#rules.push(rule)
    return () => {
      this.#rules = this.#rules.filter((other) => other !== rule)
    }
  }

  /** No fault is switched on. */
  get isCalm(): boolean {
    return this.#rules.length === 0
  }

  heal(): void {
    this.#rules = []
  }

  release(outcome: 'answer' | 'reject'): void {
    const released = [...this.hanging]
    this.hanging.clear()
    for (const release of released) release(outcome)
  }

  /** Not async: a `throw` fault must reach the caller before any promise does. */
  call<T>(call: ChaosCall<T>): Promise<T> {
    this.calls[call.operation] += 1
    const rules = this.#rules.filter((rule) => rule.applies(call.operation, call.keys))
    for (const { fault } of rules) {
      if (fault.kind === 'throw') throw fault.error ?? chaosError(call, 'threw')
    }
    this.inFlight += 1
    this.mostInFlight = Math.max(this.mostInFlight, this.inFlight)
    return this.#perform(call, rules).finally(() => {
      this.inFlight -= 1
    })
  }

  async #perform<T>(call: ChaosCall<T>, rules: readonly FaultRule[]): Promise<T> {
    for (const { fault } of rules) {
      if (fault.kind === 'delay') await this.#wait(fault.delay)
      if (fault.kind === 'hang') await this.#hang(call)
      if (fault.kind === 'reject') throw fault.error ?? chaosError(call, 'was refused')
      if (fault.kind === 'partial' && call.runPart) {
        await call.runPart()
        throw chaosError(call, 'failed half-way')
      }
    }
    const lose = rules.some(({ fault }) => fault.kind === 'lose') ? call.lose : undefined
    if (lose?.when === 'before') await lose.run()
    let answer: unknown = await call.run()
    if (lose?.when === 'after') await lose.run()
    for (const rule of rules) {
      const { fault } = rule
      if (fault.kind === 'garbage') answer = this.#garble(call, answer, rule)
      if (fault.kind !== 'lost-answer') continue
      if (fault.answer === 'reject') throw chaosError(call, 'was done, and its answer lost')
      await this.#hang(call)
    }
    return answer as T
  }

  #garble(call: CallName, answer: unknown, rule: FaultRule): unknown {
    if (call.answers === 'one') return garble(answer, rule.garbage(), this.random)
    if (call.answers === 'many') return garbleMany(answer as readonly unknown[], rule.garbage(), this.random)
    return answer
  }

  #wait(delay: number | readonly [number, number]): Promise<void> {
    const milliseconds =
      typeof delay === 'number' ? delay : delay[0] + this.random() * Math.max(0, delay[1] - delay[0])
    return new Promise((resolve) => {
      this.#clock.setTimeout(resolve, milliseconds)
    })
  }

  #hang(call: CallName): Promise<void> {
    return new Promise((resolve, reject) => {
      this.hanging.add((outcome) => {
        if (outcome === 'answer') resolve()
        else reject(chaosError(call, 'hung until it was given up'))
      })
    })
  }
}

function chaosError(call: CallName, what: string): Error {
  return new Error(`chaos: ${call.operation}(${call.keys.slice(0, 3).join(', ')}) ${what}`)
}
