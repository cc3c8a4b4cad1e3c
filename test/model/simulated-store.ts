/**
 * One store for all workers, each of which sees it through a port of its own, so that faults may hit one of them alone.
 *
 * Linearizable by key: an operation takes effect at one moment between its call and its answer, or later where it was
 * given up on; never twice, and a read never answers with what was replaced before it looked. Keeps no timers but the
 * world's.
 */

import type { StorageBackend, StorageEntry } from '../../src/index.ts'
import type { KeyClass } from './schedule.ts'
import { type Fate, fateIn, type Weather } from './weather.ts'

export interface StoreHost {
  readonly honoursTtl: boolean
  readonly random: () => number
  readonly now: () => number
  readonly after: (delay: number, run: () => void) => void
  readonly log: (line: () => string) => void
  readonly onViolation: (promise: string, what: string) => void
}

/** Who uses a port, and what the world wants to know of it. */
export interface PortUser {
  readonly name: string
  readonly isAlive: boolean
  readonly weather: { readonly kind: Weather; readonly on: KeyClass }
  /** Something has been answered: its state may have changed. */
  onAnswer(): void
  onAsk(key: string): void
  onSend(value: string): void
}

type Operation = 'get' | 'set' | 'delete'

const LOST_AFTER = 60_000

export class SimulatedStore {
  readonly #host: StoreHost
  readonly #held = new Map<string, { value: string; expiresAt: number }>()
  #garbage = 0

  constructor(host: StoreHost) {
    this.#host = host
  }

  portFor(user: PortUser, hasBatches: boolean): Port {
    return new Port(this, this.#host, user, hasBatches)
  }

  look(key: string): string | null {
    const held = this.#held.get(key)
    if (held === undefined) return null
    return this.#host.honoursTtl && held.expiresAt <= this.#host.now() ? null : held.value
  }

  put(key: string, value: string, ttl: number | undefined): void {
    this.#held.set(key, { value, expiresAt: ttl === undefined ? Infinity : this.#host.now() + ttl })
  }

  lose(key: string): void {
    this.#held.delete(key)
  }

  loseAll(): void {
    this.#held.clear()
  }

  tokens(): string[] {
    return [...this.#held.keys()].filter(isToken)
  }

  corrupt(key: string, how: number): void {
    const held = this.#held.get(key)
    if (held !== undefined) held.value = String(this.garbage(held.value, how))
  }

  /** Nothing that any worker ever wrote, or wrote under this key and version. */
  garbage(value: string, how: number): unknown {
    switch (how) {
      case 0:
        return value.slice(0, -1 - (value.length >> 1))
      case 1:
        return 'no JSON'
      case 2:
        return 42
      case 3:
        return {}
      case 4:
        return '{"v":1,'
      case 5:
        return value.startsWith('{') ? value.replace('{"v":1', '{"v":2') : 'v'
      case 6:
        return value.startsWith('{') ? value.replace('"d":{', '"d":{"__proto__":{"polluted":true},') : ''
      case 7:
        return value.startsWith('{') ? value.replace(/"d":.*$/s, '"x":0}') : '\0'
      case 8:
        return value.startsWith('{') ? value.replace(/"t":\d+/, '"t":"soon"') : '12345678901'
      default:
        return `g${String(++this.#garbage).padStart(7, '0')}`
    }
  }
}

export class Port implements StorageBackend {
  declare readonly getMany?: NonNullable<StorageBackend['getMany']>
  declare readonly setMany?: NonNullable<StorageBackend['setMany']>
  declare readonly deleteMany?: NonNullable<StorageBackend['deleteMany']>
  /** Operations without an answer. */
  unanswered = 0
  readonly #store: SimulatedStore
  readonly #host: StoreHost
  readonly #user: PortUser
  /** Unanswered writes, by key, with the moment of their call. */
  readonly #writing = new Map<string, number>()

  constructor(store: SimulatedStore, host: StoreHost, user: PortUser, hasBatches: boolean) {
    this.#store = store
    this.#host = host
    this.#user = user
    if (!hasBatches) return
    const self = this as { -readonly [N in keyof Port]: Port[N] }
    self.getMany = (keys) => this.#call('get', keys, (key) => this.#store.look(key), true) as never
    self.setMany = (entries) => this.#set(entries, true)
    self.deleteMany = (keys) => this.#call('delete', keys, (key) => this.#store.lose(key), true) as never
  }

  get(key: string): never {
    return this.#call('get', [key], () => this.#store.look(key), false) as never
  }

  set(key: string, value: string, ttl?: number): never {
    return this.#set([{ key, value, ttl }], false) as never
  }

  delete(key: string): never {
    return this.#call('delete', [key], () => this.#store.lose(key), false) as never
  }

  #set(entries: readonly StorageEntry[], isBatch: boolean): Promise<unknown> {
    for (const { value } of entries) this.#user.onSend(value)
    const keys = entries.map(({ key }) => key)
    const byKey = new Map(entries.map((entry) => [entry.key, entry]))
    const effect = (key: string): void => {
      const { value, ttl } = byKey.get(key) as StorageEntry
      this.#store.put(key, value, ttl)
    }
    return this.#call('set', keys, effect, isBatch) as never
  }

  #call(
    operation: Operation,
    keys: readonly string[],
    effect: (key: string) => unknown,
    isBatch: boolean,
  ): unknown {
    const user = this.#user
    if (!user.isAlive) return new Promise(() => {})
    const fate = this.#fate(operation, keys)
    const { log, after, random } = this.#host
    log(() => `  ${user.name} ${operation} ${keys.join(' ')}${fateText(fate)}`)
    if (operation === 'get') for (const key of keys) user.onAsk(key)
    else this.#noteWrite(keys)
    if (fate.answer === 'throw') {
      this.#noteWritten(operation, keys)
      throw new Error('thrown by the store')
    }
    let results: unknown[] = []
    const act = (): void => {
      results = keys.map((key) => (fate.isPartial && isBatch && random() < 0.5 ? undefined : effect(key)))
    }
    const result = (): unknown => {
      if (operation !== 'get') return fate.answer === 'garbage' ? { acknowledged: 'perhaps' } : undefined
      if (fate.answer !== 'garbage') return isBatch ? results : results[0]
      if (isBatch && random() < 0.2) return random() < 0.5 ? results.slice(1) : 'no array'
      results = results.map((value) =>
        random() < 0.3 ? value : this.#store.garbage(String(value ?? ''), Math.floor(random() * 10)),
      )
      return isBatch ? results : results[0]
    }
    const isRefused = fate.answer === 'reject' || (fate.isPartial && isBatch)
    if (fate.effectIn === 0 && fate.answerIn === 0 && !isRefused) {
      act()
      this.#noteWritten(operation, keys)
      return random() < 0.5 ? result() : Promise.resolve(result())
    }
    this.unanswered++
    return new Promise((resolve, reject) => {
      const answer = (): void => {
        this.#noteWritten(operation, keys)
        this.unanswered--
        if (!user.isAlive) return
        user.onAnswer()
        if (isRefused) reject(new Error('refused by the store'))
        else resolve(result())
      }
      const soon = (delay: number, run: () => void): void => (delay === 0 ? run() : after(delay, run))
      const { effectIn, answerIn } = fate
      if (effectIn === null) {
        if (answerIn !== null) soon(answerIn, answer)
        return
      }
      soon(effectIn, () => {
        act()
        log(() => `  ${user.name} ${operation} ${keys.join(' ')} takes effect`)
        if (answerIn !== null) soon(answerIn, answer)
      })
    })
  }

  #noteWrite(keys: readonly string[]): void {
    for (const key of keys) {
      const since = this.#writing.get(key)
      if (since !== undefined && this.#host.now() - since < LOST_AFTER && !key.includes(':p:')) {
        this.#host.onViolation(
          'P6',
          `${this.#user.name} writes ${key} while its last write is still under way`,
        )
      }
      this.#writing.set(key, this.#host.now())
    }
  }

  #noteWritten(operation: Operation, keys: readonly string[]): void {
    if (operation !== 'get') for (const key of keys) this.#writing.delete(key)
  }

  #fate(operation: Operation, keys: readonly string[]): Fate {
    const { kind, on } = this.#user.weather
    const first = keys[0] ?? ''
    const isConcerned =
      on === 'all' ||
      (on === 'entries' && first.includes(':d:')) ||
      (on === 'tokens' && isToken(first)) ||
      (on === 'reads' && operation === 'get') ||
      (on === 'writes' && operation !== 'get') ||
      (on === 'token-writes' && operation === 'set' && isToken(first))
    return fateIn(isConcerned ? kind : 'calm', this.#host.random)
  }
}

function isToken(key: string): boolean {
  return key.includes(':h:') || key.includes(':s:')
}

function fateText({ effectIn, answerIn, answer, isPartial }: Fate): string {
  if (effectIn === 0 && answerIn === 0 && answer === 'ok') return ''
  const effect = effectIn === null ? 'no effect' : `effect in ${effectIn}`
  return ` (${effect}, ${answerIn === null ? 'no answer' : `${isPartial ? 'partial, ' : ''}${answer} in ${answerIn}`})`
}
