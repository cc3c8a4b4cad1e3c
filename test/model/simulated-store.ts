/**
 * One store for all workers, each of which sees it through a port of its own, so that faults may hit one of them alone.
 *
 * Linearizable by key: an operation takes effect at one moment between its call and its answer, or later where it was
 * given up on; never twice, and a read never answers with what was replaced before it looked. Keeps no timers but the
 * world's.
 */

import type { StorageBackend, StorageEntry } from '../../src/index.ts'
import { crc32 } from '../../src/tier/checksum.ts'
import type { KeyClass, Setting } from './schedule.ts'
import { SimulatedLeases } from './simulated-leases.ts'
import { type Follower, type Listener, SimulatedLog } from './simulated-log.ts'
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
export interface PortUser extends Listener {
  readonly name: string
  readonly weather: { readonly kind: Weather; readonly on: KeyClass }
  /** Something has been answered: its state may have changed. */
  onAnswer(): void
  onAsk(key: string): void
  onSend(value: string): void
}

type Operation = 'get' | 'set' | 'delete' | 'add' | 'lease' | 'append' | 'follow'
/** What only counts as written where it was answered. */
const HAS_RESULT: readonly Operation[] = ['get', 'add', 'lease', 'follow']

const LOST_AFTER = 60_000

export const KINDS_OF_GARBAGE = 14
/** What is forged by the kinds from 10 on. */
const FORGED = [0, 6, 7, 8]
const HEAD = '{"v":1,"c":"'

export class SimulatedStore {
  readonly log: SimulatedLog
  readonly leases: SimulatedLeases
  readonly #host: StoreHost
  readonly #held = new Map<string, { value: string; expiresAt: number }>()
  /** How often what it holds has changed. */
  changes = 1
  #garbage = 0

  constructor(host: StoreHost) {
    this.#host = host
    this.log = new SimulatedLog(host)
    this.leases = new SimulatedLeases(host.now)
  }

  portFor(user: PortUser, hasBatches: boolean, abilities: Setting): Port {
    return new Port(this, this.#host, user, hasBatches, abilities)
  }

  look(key: string): string | null {
    const held = this.#held.get(key)
    if (held === undefined) return null
    return this.#host.honoursTtl && held.expiresAt <= this.#host.now() ? null : held.value
  }

  put(key: string, value: string, ttl: number | undefined): void {
    this.changes++
    this.#held.set(key, { value, expiresAt: ttl === undefined ? Infinity : this.#host.now() + ttl })
  }

  lose(key: string): void {
    this.changes++
    this.#held.delete(key)
  }

  loseAll(): void {
    this.changes++
    this.#held.clear()
    this.log.lose()
    this.leases.lose()
  }

  tokens(): string[] {
    return [...this.#held.keys()].filter(isToken)
  }

  corrupt(key: string, how: number): void {
    const held = this.#held.get(key)
    this.changes++
    if (held !== undefined) held.value = String(this.garbage(key, held.value, how))
  }

  /** Nothing that any worker ever wrote, or wrote under this key and version; `how` is below `KINDS_OF_GARBAGE`. */
  garbage(key: string, value: string, how: number): unknown {
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
      case 10:
      case 11:
      case 12:
      case 13:
        // Damage that the sum does not tell: whoever did it knows how sums are made.
        return summed(key, String(this.garbage(key, value, FORGED[how - 10] as number)))
      default:
        return `g${String(++this.#garbage).padStart(7, '0')}`
    }
  }
}

export class Port implements StorageBackend {
  declare readonly getMany?: NonNullable<StorageBackend['getMany']>
  declare readonly setMany?: NonNullable<StorageBackend['setMany']>
  declare readonly deleteMany?: NonNullable<StorageBackend['deleteMany']>
  declare readonly add?: NonNullable<StorageBackend['add']>
  declare readonly feed?: NonNullable<StorageBackend['feed']>
  declare readonly lease?: NonNullable<StorageBackend['lease']>
  declare readonly snapshot?: NonNullable<StorageBackend['snapshot']>
  /** Operations without an answer. */
  unanswered = 0
  readonly #store: SimulatedStore
  readonly #host: StoreHost
  readonly #user: PortUser
  /** Unanswered writes, by key, with the moment of their call. */
  readonly #writing = new Map<string, number>()
  /** Its own, once it knows that it follows. */
  #follower: Follower | null = null

  constructor(
    store: SimulatedStore,
    host: StoreHost,
    user: PortUser,
    hasBatches: boolean,
    { hasAdd, hasFeed, hasLeases, hasSnapshots, feedLength }: Setting,
  ) {
    this.#store = store
    this.#host = host
    this.#user = user
    const self = this as { -readonly [N in keyof Port]: Port[N] }
    if (hasAdd)
      self.add = (key, value, ttl) =>
        this.#call('add', [key], () => this.#add(key, value, ttl), false) as never
    if (hasFeed)
      self.feed = {
        append: (texts) => {
          const effect = (): void => {
            for (const text of texts) store.log.append(text, feedLength)
          }
          return this.#call('append', ['feed'], effect, false)
        },
        follow: (onMessages, onGap) => this.#follow(onMessages, onGap),
      }
    if (hasLeases) {
      const { leases } = store
      const call = (key: string, effect: () => unknown): never =>
        this.#call('lease', [key], effect, false) as never
      self.lease = {
        acquire: (key, ttl) => call(key, () => leases.acquire(key, user.name, ttl)),
        renew: (key, token, ttl) => call(key, () => leases.renew(key, token, ttl)),
        release: (key, token) => call(key, () => leases.release(key, token)),
      }
    }
    if (hasSnapshots) self.snapshot = { hold: () => this.#hold(), get: (key) => this.#see(key) }
    if (!hasBatches) return
    self.getMany = (keys) => this.#call('get', keys, (key) => this.#store.look(key), true) as never
    self.setMany = (entries) => this.#set(entries, true)
    self.deleteMany = (keys) => this.#call('delete', keys, (key) => this.#store.lose(key), true) as never
  }

  /** It has been given all messages up to this position of the log; -1: it follows nothing. */
  get heard(): number {
    return this.#follower?.position ?? -1
  }

  get gapAt(): number {
    return this.#follower?.gapAt ?? Number.NEGATIVE_INFINITY
  }

  get doubtedAt(): number {
    return this.#follower?.doubtedAt ?? Number.NEGATIVE_INFINITY
  }

  #add(key: string, value: string, ttl: number | undefined): boolean {
    if (this.#store.look(key) !== null) return false
    this.#store.put(key, value, ttl)
    return true
  }

  async #follow(
    onMessages: (texts: string[]) => void,
    onGap: (reason: string, mayHaveGoneBack: boolean) => void,
  ): Promise<() => void> {
    const { log } = this.#store
    const follower = await (this.#call(
      'follow',
      ['feed'],
      () => log.follow(this.#user, onMessages, onGap),
      false,
    ) as Follower | Promise<Follower>)
    this.#follower = follower
    // Who comes late to the feed lets go of what it holds: that is seen as it happens.
    if (this.#user.isAlive) this.#user.onHeard()
    return () => {
      this.#follower = null
      log.unfollow(follower)
    }
  }

  /** Only what would be answered at once can be told at once. */
  #hold(): number | undefined {
    const { effectIn, answerIn, answer } = this.#fate('get', [':d:'])
    if (answer === 'throw') throw new Error('thrown by the store')
    return this.#user.isAlive && effectIn === 0 && answerIn === 0 ? this.#store.changes : undefined
  }

  #see(key: string): string | null {
    const { effectIn, answerIn, answer } = this.#fate('get', [key])
    if (effectIn !== 0 || answerIn !== 0 || answer === 'throw') throw new Error('thrown by the store')
    this.#user.onAsk(key)
    const value = this.#store.look(key)
    this.#host.log(() => `  ${this.#user.name} sees ${key}`)
    return value
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
    else if (operation === 'set' || operation === 'delete') this.#noteWrite(keys)
    if (fate.answer === 'throw') {
      this.#noteWritten(operation, keys)
      throw new Error('thrown by the store')
    }
    let results: unknown[] = []
    const act = (): void => {
      results = keys.map((key) => (fate.isPartial && isBatch && random() < 0.5 ? undefined : effect(key)))
    }
    const result = (): unknown => {
      if (operation === 'follow') return results[0]
      if (operation !== 'get' && fate.answer === 'garbage') return { acknowledged: 'perhaps' }
      if (!HAS_RESULT.includes(operation)) return undefined
      if (fate.answer !== 'garbage') return isBatch ? results : results[0]
      if (isBatch && random() < 0.2) return random() < 0.5 ? results.slice(1) : 'no array'
      results = results.map((value, i) =>
        random() < 0.3
          ? value
          : this.#store.garbage(
              keys[i] as string,
              String(value ?? ''),
              Math.floor(random() * KINDS_OF_GARBAGE),
            ),
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
      const tell = (): void => {
        if (!user.isAlive) return
        user.onAnswer()
        if (isRefused) reject(new Error('refused by the store'))
        else resolve(result())
      }
      const answer = (): void => {
        this.#noteWritten(operation, keys)
        this.unanswered--
        user.whenAwake(tell)
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
    if (operation === 'set' || operation === 'delete') for (const key of keys) this.#writing.delete(key)
  }

  #fate(operation: Operation, keys: readonly string[]): Fate {
    const { kind, on } = this.#user.weather
    const first = keys[0] ?? ''
    const isConcerned =
      on === 'all' ||
      (on === 'entries' && first.includes(':d:')) ||
      (on === 'tokens' && isToken(first)) ||
      (on === 'reads' && operation === 'get') ||
      (on === 'writes' && (operation === 'set' || operation === 'delete' || operation === 'add')) ||
      (on === 'token-writes' && (operation === 'set' || operation === 'add') && isToken(first)) ||
      (on === 'leases' && operation === 'lease') ||
      (on === 'feed' && (operation === 'append' || operation === 'follow'))
    return fateIn(isConcerned ? kind : 'calm', this.#host.random)
  }
}

function summed(key: string, text: string): string {
  if (!text.startsWith(HEAD)) return text
  const rest = text.slice(HEAD.length + 8)
  return HEAD + crc32(rest, crc32(key, 0)).toString(16).padStart(8, '0') + rest
}

function isToken(key: string): boolean {
  return key.includes(':h:') || key.includes(':s:') || key.includes(':n:')
}

function fateText({ effectIn, answerIn, answer, isPartial }: Fate): string {
  if (effectIn === 0 && answerIn === 0 && answer === 'ok') return ''
  const effect = effectIn === null ? 'no effect' : `effect in ${effectIn}`
  return ` (${effect}, ${answerIn === null ? 'no answer' : `${isPartial ? 'partial, ' : ''}${answer} in ${answerIn}`})`
}
