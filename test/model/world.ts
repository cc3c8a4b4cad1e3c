/**
 * One run of a schedule: a store, its workers and an origin in virtual time, with the checker looking on.
 *
 * Virtual time is drained by one hop through the event loop: nothing here does I/O, so everything that can go on
 * without time goes on in microtasks, and Node empties their queue before the next macrotask whatever its depth.
 * After each drain the workers that may have changed are checked.
 *
 * Long because: the steps of a schedule are read together.
 */

import { hashKey, type StackQueryError } from '../../src/index.ts'
import { VirtualClock } from '../../src/testing/index.ts'
import { seededRandom } from '../../src/testing/seeded-random.ts'
import { Generations } from '../../src/tier/generations.ts'
import { entryKey, entryPrefix, leaseKey } from '../../src/tier/storage-keys.ts'
import { WRITE_LIMITS } from '../../src/tier/write-behind.ts'
import { type Call, Checker } from './checker.ts'
import { isSound, LONGEST_WAIT, LONGEST_WAIT_LIED_TO, rivalOf, untrueCopy } from './fleet-checks.ts'
import { Incarnation, type LifeHost, type Slot } from './incarnation.ts'
import { type Datum, doesMean, type Invalidation, Ledger } from './ledger.ts'
import { KEYS, type Schedule, type Setting, type Step, TARGETS } from './schedule.ts'
import { SimulatedStore } from './simulated-store.ts'
import { RETRY_DELAY, SETTLING, SLOWEST_ORIGIN, STORAGE_TIMEOUT } from './timing.ts'

export interface Violation {
  readonly promise: string
  readonly what: string
}

const realSetImmediate = setImmediate
const hop = (): Promise<void> => new Promise((resolve) => realSetImmediate(resolve))

const ENTRY_KEYS = KEYS.map((key) => entryKey(entryPrefix('sq'), hashKey(key)).storageKey)
/** The entry of a key and the hard token of the key itself: every read of the key asks for one of them. */
const READ_KEYS = new Map(
  KEYS.flatMap((key, k) => [
    [ENTRY_KEYS[k] as string, k],
    [new Generations('sq', Math.random).tokenKeysOf(key).at(-2) as string, k],
  ]),
)
const LEASE_KEYS = KEYS.map((key) => leaseKey('sq', hashKey(key)))
/** Enough that what they ask L2 for, one key at a time, is more than may be asked at once. */
const FLOOD = 400

/** What is done to a worker, not by it. */
const OF_THE_WORLD = new Set<Step['do']>(['crash', 'skew', 'weather', 'hearing'])

class OriginError extends Error {}

export class World {
  violation: Violation | null = null
  readonly trace: string[] | null
  readonly #schedule: Schedule
  readonly #random: () => number
  readonly #clock: VirtualClock
  readonly #startedAt: number
  readonly #ledger = new Ledger()
  readonly #store: SimulatedStore
  readonly #checker: Checker
  readonly #slots: Slot[] = []
  readonly #workers: Incarnation[] = []
  readonly #lives: Incarnation[] = []
  readonly #changed = new Set<Incarnation>()
  readonly #calls = new Set<Call>()
  readonly #versions: number[] = KEYS.map(() => 1)
  /** By key: the store was made to lose or to change it. */
  readonly #damaged: boolean[] = KEYS.map(() => false)
  #flooding = 0
  #origin = { delay: 20, failures: 0, rich: false }

  constructor(schedule: Schedule, isTraced: boolean) {
    this.#schedule = schedule
    this.trace = isTraced ? [] : null
    this.#random = seededRandom(schedule.setting.salt)
    this.#clock = new VirtualClock({ drain: () => this.#drain() })
    this.#startedAt = this.#clock.now()
    const onViolation = (promise: string, what: string): void => this.#violated(promise, what)
    const now = (): number => this.#clock.now()
    this.#store = new SimulatedStore({
      honoursTtl: schedule.setting.honoursTtl,
      random: this.#random,
      now,
      after: (delay, run) => void this.#clock.setTimeout(run, delay),
      log: (line) => this.#log(line),
      onViolation,
    })
    this.#checker = new Checker(this.#ledger, now, () => this.#store.log.end, onViolation)
  }

  /** Returns what was violated first, or `null`. */
  async run(): Promise<Violation | null> {
    const { setting, steps } = this.#schedule
    const realRandom = Math.random
    const realCount = WRITE_LIMITS.count
    const onUnhandled = (error: unknown): void =>
      this.#violated('P9', `unhandled rejection: ${String(error)}`)
    process.on('unhandledRejection', onUnhandled)
    Math.random = this.#random
    // The only bound of the write queue that a short schedule can reach.
    Object.assign(WRITE_LIMITS, { count: setting.mostWrites })
    try {
      for (let index = 0; index < setting.workers; index++) {
        const skew = setting.skews[index] ?? 0
        this.#slots.push({
          index,
          skew,
          weather:
            index === 1 && setting.beginsDeaf ? { kind: 'down', on: 'feed' } : { kind: 'calm', on: 'all' },
          calmSince: Number.NEGATIVE_INFINITY,
          hearing: 'prompt',
          life: 0,
        })
        this.#begin(index)
      }
      for (const step of steps) {
        if (this.violation !== null) break
        this.#log(() => `${JSON.stringify(step)}`)
        if (step.do === 'advance') await this.#clock.advance(step.ms)
        else this.#take(step, setting)
        if (!step.rush) await this.#clock.settle()
      }
      if (this.violation === null) await this.#conclude()
    } catch (error) {
      this.#violated('crash', error instanceof Error ? (error.stack ?? error.message) : String(error))
    } finally {
      for (const life of this.#lives) life.crash()
      Math.random = realRandom
      Object.assign(WRITE_LIMITS, { count: realCount })
      await hop()
      process.off('unhandledRejection', onUnhandled)
    }
    return this.violation
  }

  async #drain(): Promise<void> {
    await hop()
    for (const life of this.#changed) this.#checker.check(life)
    this.#changed.clear()
  }

  #touch(life: Incarnation, k: number | 'all'): void {
    life.touched |= k === 'all' ? (1 << KEYS.length) - 1 : 1 << k
    this.#changed.add(life)
  }

  #log(line: () => string): void {
    this.trace?.push(`${String(this.#clock.now() - this.#startedAt).padStart(7)} ${line()}`)
  }

  #violated(promise: string, what: string): void {
    this.#log(() => `!!! ${promise}: ${what}`)
    this.violation ??= { promise, what }
  }

  #begin(index: number): void {
    const slot = this.#slots[index] as Slot
    slot.life++
    const host: LifeHost = {
      base: { ...clockOf(this.#clock) },
      makePort: (user, hasBatches) => this.#store.portFor(user, hasBatches, this.#schedule.setting),
      onChange: (life) => this.#changed.add(life),
      onAsk: (life, key) => this.#noteAsked(life, key),
      onSend: (value) => this.#ledger.noteSent(value),
      onTimers: (life, pending) => {
        if (pending > 1) this.#violated('P11', `${life.name} has ${pending} timers`)
      },
    }
    const life = new Incarnation(slot, this.#schedule.setting, host)
    this.#workers[index] = life
    this.#lives.push(life)
  }

  #noteAsked(life: Incarnation, key: string): void {
    const k = READ_KEYS.get(key)
    if (k === undefined) return
    const asked = life.asked[k] as { seq: number; at: number }[]
    const now = this.#clock.now()
    while (asked.length > 0 && (asked[0]?.at as number) < life.awaitsSince(now)) asked.shift()
    asked.push({ seq: this.#ledger.tick(), at: now })
    // Its answer may come in the same tick.
    this.#touch(life, k)
  }

  #take(step: Step, setting: Setting): void {
    const life = 'w' in step && step.w >= 0 ? this.#workers[step.w % setting.workers] : undefined
    if (life !== undefined) {
      this.#touch(life, 'k' in step ? step.k : 'all')
      // Nobody calls a process that stands still.
      if (!life.isSuspended || OF_THE_WORLD.has(step.do)) this.#act(step, life)
      return
    }
    switch (step.do) {
      case 'weather':
        for (const slot of this.#slots) this.#change(slot, { kind: step.weather, on: step.on })
        break
      case 'hearing':
        for (const slot of this.#slots) slot.hearing = step.hearing
        this.#store.log.stir()
        break
      case 'trim-log':
        this.#store.log.trim(step.keep)
        break
      case 'lose-leases':
        this.#store.leases.lose()
        break
      case 'origin':
        this.#origin = { delay: step.delay, failures: step.failures, rich: step.rich }
        break
      case 'bump':
        ;(this.#versions[step.k] as number)++
        break
      case 'lose-entry':
        this.#store.lose(ENTRY_KEYS[step.k] as string)
        this.#damaged[step.k] = true
        break
      case 'corrupt-entry':
        this.#store.corrupt(ENTRY_KEYS[step.k] as string, step.how)
        this.#damaged[step.k] = true
        break
      case 'lose-token':
      case 'corrupt-token': {
        const tokens = this.#store.tokens()
        const token = tokens[step.nth % tokens.length]
        if (token === undefined) break
        if (step.do === 'lose-token') this.#store.lose(token)
        else this.#store.corrupt(token, step.how)
        break
      }
      case 'lose-tokens':
        for (const token of this.#store.tokens()) this.#store.lose(token)
        break
      case 'lose-all':
        this.#store.loseAll()
        this.#damaged.fill(true)
        break
    }
  }

  #act(step: Step, life: Incarnation): void {
    const { client } = life
    switch (step.do) {
      case 'fetch':
        this.#fetch(life, step.k, step.staleTime, step.wait)
        break
      case 'look':
        this.#track(life, step.k, 'look', () => client.getQueryDataAsync(KEYS[step.k] as never))
        break
      case 'set':
        this.#set(life, step.k)
        break
      case 'invalidate':
      case 'remove':
      case 'reset':
        this.#invalidate(life, step.f, step.do)
        break
      case 'cancel': {
        life.cancelledAt = this.#ledger.tick()
        const { queryKey, isExact } = targetOf(step.f)
        void client.cancelQueries({ queryKey, exact: isExact })
        break
      }
      case 'clear':
        life.seen.fill(null)
        client.clear()
        break
      case 'crash':
        life.crash()
        this.#begin(life.slot.index)
        break
      case 'close':
        this.#close(life)
        this.#begin(life.slot.index)
        break
      case 'flush': {
        const calledAt = this.#clock.now()
        void client.flush({ timeout: 500 }).then(() => this.#checkTime('flush', life, calledAt, 500))
        break
      }
      case 'watch': {
        const observer = client.watch(this.#optionsOf(life, step.k, step.staleTime))
        life.hasWatched = true
        const onState = ({ hasData }: { hasData: boolean }): void => {
          // Emptied and filled again at one moment, it is seen here alone.
          if (!hasData) life.seen[step.k] = null
          this.#touch(life, step.k)
        }
        life.watching.push(observer.subscribe(onState))
        break
      }
      case 'unwatch':
        life.watching.pop()?.()
        break
      case 'flood':
        for (let i = 0; i < FLOOD; i++) {
          this.#flooding++
          const over = (): void => {
            this.#flooding--
          }
          const queryFn = (): Promise<number> => hop().then(() => i)
          client.fetchQuery({ queryKey: ['f', i], queryFn, gcTime: 1_000 }).then(over, over)
        }
        break
      case 'skew':
        life.slot.skew += step.by
        break
      case 'weather':
        this.#change(life.slot, { kind: step.weather, on: step.on })
        break
      case 'hearing':
        life.slot.hearing = step.hearing
        this.#store.log.stir()
        break
      case 'suspend':
        life.suspend()
        this.#clock.setTimeout(() => life.wake(this.#random() < 0.5), step.ms)
        break
    }
  }

  #change(slot: Slot, weather: Slot['weather']): void {
    // What was sent before may still be answered late.
    slot.calmSince = this.#clock.now()
    slot.weather = weather
  }

  #optionsOf(life: Incarnation, k: number, staleTime: number) {
    return {
      queryKey: KEYS[k] as never,
      staleTime,
      queryFn: ({ signal }: { signal: AbortSignal }) => this.#callOrigin(life, k, signal),
      onSuccess: (data: unknown) => {
        const state = life.client.getQueryState(KEYS[k] as never)
        const datum = this.#ledger.identify(data, k)
        if (typeof datum === 'string') return
        const word = datum.isRich ? null : datum
        // Evicted at once, or removed before: from outside it is the same.
        if (state === undefined) life.say(k, word, null, ...(life.lastWords[k] ?? []))
        else if (state.data === data && !state.isInvalidated) life.say(k, word)
      },
    }
  }

  #fetch(life: Incarnation, k: number, staleTime: number, isWaiting: boolean): void {
    const options = {
      ...this.#optionsOf(life, k, staleTime),
      whenStale: isWaiting ? 'wait' : 'serve',
    } as const
    this.#track(life, k, options.whenStale, () => life.client.fetchQuery(options))
  }

  #track(life: Incarnation, k: number, kind: Call['kind'], start: () => Promise<unknown>): void {
    const state = life.client.getQueryState(KEYS[k] as never)
    const held = state?.data === undefined ? null : this.#ledger.identify(state.data, k)
    const isIdle = state === undefined || state.fetchStatus === 'idle'
    const call: Call = {
      life,
      k,
      kind,
      seq: this.#ledger.tick(),
      at: this.#clock.now(),
      held: typeof held === 'string' ? null : held,
      isAlone: isIdle && life.running[k] === 0 && this.#clock.now() > (life.retriesUntil[k] as number),
      isCircuitOpen: life.client.stats().storage?.circuit !== 'closed',
      originBeganAt: -1,
    }
    this.#calls.add(call)
    start().then(
      (value) => {
        if (!this.#calls.delete(call) || !life.isAlive) return
        this.#log(() => `  ${life.name} ${kind} ${JSON.stringify(KEYS[k])} → ${JSON.stringify(value)}`)
        this.#checkDelay(call, value)
        this.#checker.checkAnswer(call, value)
      },
      (error) => {
        if (!this.#calls.delete(call) || !life.isAlive) return
        this.#log(() => `  ${life.name} ${kind} ${JSON.stringify(KEYS[k])} → ${String(error)}`)
        if (error instanceof OriginError && kind !== 'look') return this.#checkDelay(call, null)
        const { code } = error as StackQueryError
        const isTurnedAway = code === 'CANCELLED' || code === 'CLIENT_CLOSED'
        if (!isTurnedAway || life.cancelledAt < call.seq)
          this.#violated('P3', `${life.name} ${kind} was rejected: ${String(error)}`)
      },
    )
  }

  /** `value`: what the call returned, `null` where its origin failed. */
  #checkDelay(call: Call, value: unknown): void {
    const { life, k, kind, seq, at, held, isAlone, isCircuitOpen } = call
    const now = this.#clock.now()
    const waited = now - at
    if (life.suspendedAt >= at) return
    // Who is lied to about leases, over and over, goes ahead in the end.
    const longest = life.slot.weather.kind === 'garbage' ? LONGEST_WAIT_LIED_TO : LONGEST_WAIT
    if (waited > longest) this.#violated('P8', `${life.name} ${kind} was kept waiting for ${waited} ms`)
    if (held !== null && kind !== 'wait') {
      if (waited > 0) this.#violated('P2', `${life.name} waited ${waited} ms for what L1 held`)
      return
    }
    if (value === null || (kind !== 'look' && !isAlone)) return
    const datum = this.#ledger.identify(value, k)
    const isOwn = typeof datum === 'object' && datum.by === life && datum.ended < Infinity
    const isOrigins = kind !== 'look' && isOwn && datum.began > seq
    const late = isOrigins ? now - (life.originEndedAt[k] as number) : 0
    if (late > 0) this.#violated('P3', `${life.name} was answered ${late} ms after its origin`)
    const most = isCircuitOpen ? 0 : STORAGE_TIMEOUT
    const hasWaitedForHolder = this.#store.leases.wasHeldSince(LEASE_KEYS[k] as string, at)
    if (!isOrigins && waited > most && !hasWaitedForHolder)
      this.#violated('P3', `${life.name} ${kind} waited ${waited} ms for L2`)
  }

  #checkTime(what: string, life: Incarnation, calledAt: number, most: number): void {
    const took = this.#clock.now() - calledAt
    if (took > most && life.suspendedAt < calledAt)
      this.#violated('P4', `${what} of ${life.name} took ${took} ms; at most ${most} were promised`)
  }

  async #callOrigin(life: Incarnation, k: number, signal: AbortSignal): Promise<unknown> {
    const { delay, rich } = this.#origin
    const now = this.#clock.now()
    if (life.running[k] !== 0)
      this.#violated('P8', `two origin calls of ${JSON.stringify(KEYS[k])} in ${life.name}`)
    if (now > (life.retriesUntil[k] as number)) life.claimedAt[k] = now
    const rival = this.#schedule.setting.hasLeases
      ? rivalOf(life, k, this.#workers, this.#store, now)
      : undefined
    if (rival !== undefined)
      this.#violated(
        'P8',
        `${life.name} and ${rival.name} call the origin for ${JSON.stringify(KEYS[k])} at a time`,
      )
    life.isSound[k] = isSound(life, now)
    ;(life.running[k] as number)++
    for (const call of this.#calls) {
      if (call.life !== life || call.k !== k || call.originBeganAt !== -1) continue
      call.originBeganAt = now
      const most = call.isCircuitOpen ? 0 : STORAGE_TIMEOUT
      const isOthers = this.#store.leases.wasHeldSince(LEASE_KEYS[k] as string, call.at)
      if (call.isAlone && now - call.at > most && life.suspendedAt < call.at && !isOthers)
        this.#violated(
          'P3',
          `L2 kept ${life.name} ${now - call.at} ms from its origin; at most ${most} were promised`,
        )
    }
    const datum = this.#ledger.make(k, this.#versions[k] as number, life, 'origin', rich)
    this.#log(
      () => `  ${life.name} calls the origin for #${datum.id} of ${JSON.stringify(KEYS[k])} (${delay} ms)`,
    )
    return new Promise((resolve, reject) => {
      let isOver = false
      const end = (settle: () => void): void => {
        if (isOver || !life.isAlive) return
        isOver = true
        ;(life.running[k] as number)--
        life.originEndedAt[k] = this.#clock.now()
        datum.ended = this.#ledger.tick()
        this.#touch(life, k)
        settle()
      }
      signal.addEventListener('abort', () => end(() => reject(signal.reason)))
      const answer = (): void => {
        const hasFailed = this.#origin.failures > 0
        if (hasFailed) this.#origin.failures--
        if (hasFailed) life.retriesUntil[k] = this.#clock.now() + RETRY_DELAY
        end(() => (hasFailed ? reject(new OriginError('the origin failed')) : resolve(datum.value)))
      }
      if (delay === 0) answer()
      else this.#clock.setTimeout(answer, delay)
    })
  }

  #set(life: Incarnation, k: number): void {
    const datum = this.#ledger.make(k, this.#versions[k] as number, life, 'manual', this.#origin.rich)
    this.#log(() => `  ${life.name} sets #${datum.id}`)
    life.client.setQueryData(KEYS[k] as never, datum.value as never)
    // Now: it may have been replaced before anybody looks, and what replaces it may be younger than what was before it.
    const state = life.client.getQueryState(KEYS[k] as never)
    if (state !== undefined) {
      const { dataUpdatedAt: updatedAt, isInvalidated } = state
      life.seen[k] = { datum, updatedAt, isInvalidated }
    }
    life.say(k, datum.isRich ? null : datum)
  }

  #invalidate(life: Incarnation, f: number, how: 'invalidate' | 'remove' | 'reset'): void {
    const { client } = life
    const calledAt = this.#clock.now()
    const isCircuitOpen = client.stats().storage?.circuit !== 'closed'
    const kind = how === 'invalidate' ? 'soft' : 'hard'
    const { queryKey, isExact } = targetOf(f)
    const filter = { queryKey, exact: isExact }
    const invalidation: Invalidation = {
      by: life,
      f,
      kind,
      called: this.#ledger.tick(),
      acknowledged: Number.POSITIVE_INFINITY,
      told: Number.POSITIVE_INFINITY,
    }
    this.#log(() => `  ${life.name} calls ${how} ${JSON.stringify(filter)} at ${invalidation.called}`)
    if (how === 'reset') life.cancelledAt = invalidation.called
    this.#ledger.invalidations.push(invalidation)
    life.unacknowledged++
    life.untold++
    for (let k = 0; k < KEYS.length; k++) {
      if (!doesMean(f, k)) continue
      if (kind === 'soft') {
        life.softAt[k] = invalidation.called
        continue
      }
      life.hardAt[k] = invalidation.called
      life.seen[k] = null
      const isGone = client.cache.has(KEYS[k] as never) || TARGETS[f]?.queryKey.length === KEYS[k]?.length
      if (isGone) life.say(k, null)
      else if (life.lastWords[k] !== null) life.say(k, ...(life.lastWords[k] as Set<Datum | null>), null)
      else life.words[k]?.add(null)
    }
    const done =
      how === 'invalidate'
        ? client.invalidateQueries(filter)
        : how === 'remove'
          ? client.removeQueries(filter)
          : client.resetQueries(filter)
    void done.then(() => {
      if (!life.isAlive) return
      const took = this.#clock.now() - calledAt
      this.#log(() => `  ${life.name}'s ${how} at ${invalidation.called} resolves after ${took} ms`)
      this.#checkTime(how, life, calledAt, isCircuitOpen ? 0 : STORAGE_TIMEOUT)
      const isGivenUp = isCircuitOpen || client.stats().storage?.circuit !== 'closed'
      // Later than that where its process stood still meanwhile: it may have been given up on all the same.
      if (isGivenUp || took >= STORAGE_TIMEOUT || invalidation.acknowledged < Infinity) return
      invalidation.acknowledged = this.#ledger.tick()
      invalidation.told = this.#store.log.end
      life.unacknowledged--
    })
  }

  #close(life: Incarnation): void {
    const calledAt = this.#clock.now()
    life.isClosing = true
    life.cancelledAt = this.#ledger.tick()
    for (const unwatch of life.watching.splice(0)) unwatch()
    void life.client.close({ timeout: 500 }).then(() => {
      if (!life.isAlive) return
      this.#checkTime('close', life, calledAt, 1_500)
      if (life.pendingTimers > 0) this.#violated('P11', `${life.name} has a timer after its close`)
      life.crash()
    })
  }

  /** Faults end: everything settles, nothing is lost that was not counted, and all workers agree with the origin. */
  async #conclude(): Promise<void> {
    this.#log(() => 'faults end')
    for (const slot of this.#slots) {
      this.#change(slot, { kind: 'calm', on: 'all' })
      slot.hearing = 'prompt'
    }
    for (const life of this.#workers) life.wake(true)
    this.#store.log.stir()
    this.#origin = { delay: 20, failures: 0, rich: false }
    for (const life of this.#workers) for (const unwatch of life.watching.splice(0)) unwatch()
    await this.#clock.advance(SETTLING)
    for (const { life, kind, k } of this.#calls) {
      if (life.isAlive) this.#violated('P3', `${life.name} ${kind} ${JSON.stringify(KEYS[k])} never settled`)
    }
    if (this.#flooding > 0 && this.#workers[0]?.slot.life === 1)
      this.#violated('P3', `${this.#flooding} fetches of a flood never settled`)
    for (const life of this.#workers) {
      const { storage } = life.client.stats()
      if (storage?.circuit !== 'closed') this.#violated('P3', `${life.name} does not come back to L2`)
      if (storage?.pending !== 0) this.#violated('P6', `${life.name} still has ${storage?.pending} writes`)
      if (storage?.inFlight !== 0 && storage?.outages === 0)
        this.#violated('P11', `${life.name} has ${storage?.inFlight} in flight`)
    }
    this.#checkCopies()
    this.#checkWords()
    if (this.violation === null) await this.#converge()
    for (const life of this.#workers) this.#close(life)
    await this.#clock.advance(2_000)
    for (const life of this.#workers) if (life.isAlive) this.#violated('P6', `${life.name} does not close`)
    if (Object.hasOwn(Object.prototype, 'polluted')) this.#violated('P10', 'Object.prototype was changed')
  }

  /** After so long a calm every worker knows of everything. */
  #checkCopies(): void {
    for (const life of this.#workers) {
      for (const [k, key] of KEYS.entries()) {
        const state = life.client.getQueryState(key as never)
        const datum = state?.data === undefined ? '' : this.#ledger.identify(state.data, k)
        if (state === undefined || typeof datum === 'string') continue
        const untrue = untrueCopy(life, datum, state.isInvalidated, this.#ledger, this.#clock.now(), true)
        if (untrue !== null) this.#violated('P4', `${life.name} holds #${datum.id} long after ${untrue}`)
      }
    }
  }

  /** What the store holds in the end is the last word of one of the workers. */
  #checkWords(): void {
    let dropped = 0
    for (const life of this.#lives) dropped += life.dropped
    let missing = 0
    let lastMissing = ''
    for (let k = 0; k < KEYS.length; k++) {
      if (this.#damaged[k]) continue
      const allowed = new Set<Datum | null>()
      for (const life of this.#lives) {
        const isCurrent = this.#workers.includes(life)
        const words = isCurrent ? life.lastWords[k] : life.words[k]
        for (const word of words ?? []) allowed.add(word)
        if (!isCurrent && (words?.size ?? 0) > 0) allowed.add(null)
      }
      if (allowed.size === 0) continue
      if (this.#schedule.setting.storageTtl < SETTLING) allowed.add(null)
      const text = this.#store.look(ENTRY_KEYS[k] as string)
      const id = text === null ? null : /"d":\{"id":(\d+)/.exec(text)?.[1]
      const datum = id === null ? null : (this.#ledger.data[Number(id)] ?? null)
      if (allowed.has(datum)) continue
      const names = [...allowed].map((word) => (word === null ? 'nothing' : `#${word.id}`))
      const found = datum === null ? 'nothing' : `#${datum.id}`
      missing++
      lastMissing = `L2 holds ${found} for ${JSON.stringify(KEYS[k])}; the last words were ${names.join(', ')}`
    }
    if (missing > dropped) this.#violated('P6', `${lastMissing} (${dropped} counted as dropped)`)
  }

  /** After an invalidation everybody gets the current version, and all but the first from L2. */
  async #converge(): Promise<void> {
    const [first, ...others] = this.#workers as [Incarnation, ...Incarnation[]]
    for (let k = 0; k < KEYS.length; k++) this.#versions[k] = (this.#versions[k] as number) + 1
    this.#invalidate(first, 2, 'remove')
    await this.#clock.advance(STORAGE_TIMEOUT)
    if (this.#ledger.invalidations.at(-1)?.acknowledged === Number.POSITIVE_INFINITY)
      this.#violated('P4', 'a removal is not acknowledged by a healthy store')
    // Two keys stand for all: one of the busiest, and any.
    const keys = [...new Set([1, this.#schedule.setting.salt % KEYS.length])]
    for (const life of [first, ...others]) {
      life.client.clear()
      life.seen.fill(null)
      const ids = this.#ledger.data.length
      const answers = keys.map((k) =>
        life.client.fetchQuery({ ...this.#optionsOf(life, k, Infinity), whenStale: 'wait' }),
      )
      this.#touch(life, 'all')
      await this.#clock.advance(STORAGE_TIMEOUT + SLOWEST_ORIGIN)
      const values = await Promise.race([Promise.all(answers), hop().then(() => null)])
      if (values === null) return this.#violated('P3', `${life.name} gets no answer though all is well`)
      for (const [i, value] of values.entries()) {
        const k = keys[i] as number
        const datum = this.#ledger.identify(value, k)
        if (typeof datum === 'string' || datum.version !== this.#versions[k])
          this.#violated(
            'P4',
            `${life.name} has ${JSON.stringify(value)} after a removal; expected the current version`,
          )
      }
      const isFresh = life === first || this.#schedule.setting.storageTtl < Infinity
      if (!isFresh && this.#ledger.data.length > ids && others.every(agreesWith(first)))
        this.#violated('P6', `${life.name} asked the origin for what ${first.name} had written to L2`)
    }
  }
}

/** Workers whose clocks disagree may find each other's entries expired or too old. */
function agreesWith(first: Incarnation): (life: Incarnation) => boolean {
  return ({ slot }) => slot.skew === first.slot.skew
}

function targetOf(f: number): (typeof TARGETS)[number] & { queryKey: never } {
  return TARGETS[f] as never
}

function clockOf(clock: VirtualClock) {
  return {
    now: () => clock.now(),
    setTimeout: (run: () => void, delay: number) => clock.setTimeout(run, delay),
    clearTimeout: (handle: unknown) => clock.clearTimeout(handle),
  }
}
