/**
 * One origin call per key in the whole fleet, by leases.
 *
 * A fetch that found nothing fresh in L2 asks for its key's lease. Who gets it looks into L2 once more (another may
 * have finished in between), calls the origin, writes L2, and gives the lease up once L2 has the write. Who does not
 * get it waits until a peer says that the key has changed, or for a moment where nobody says so, and looks again.
 * A lease that cannot be asked for means "go ahead".
 *
 * A lease lives `LEASE_LIFE` and is renewed by its holder at a third of that, so that a dead holder costs the others
 * at most its life. A `Ticket` owns the alarms of its renewal and its end, and ends by `release`, once.
 */

import type { LeaseProvider } from '../ports/storage.ts'
import type { Alarm, TimerQueue } from '../resilience/timer-queue.ts'
import type { StorageTier } from '../tier/storage-tier.ts'

/** Milliseconds. */
export const LEASE_LIFE = 3_000
/** A holder that lives may take its time, but not all of ours. */
export const LONGEST_WAIT = 30_000
const FIRST_LOOK = 20
const SLOWEST_LOOK = 250

/** `held`: this fetch has it. `elsewhere`: another has. `none`: nobody could say. */
export type Claim =
  | { readonly state: 'held'; readonly ticket: Ticket }
  | { readonly state: 'elsewhere' }
  | { readonly state: 'none' }

export class SingleFlight {
  readonly #tier: StorageTier
  readonly #lease: LeaseProvider
  readonly #timers: TimerQueue
  readonly #waiting = new Map<string, Set<() => void>>()

  constructor(tier: StorageTier, lease: LeaseProvider, timers: TimerQueue) {
    this.#tier = tier
    this.#lease = lease
    this.#timers = timers
  }

  /** Asks for the lease, for `patience` milliseconds at most. */
  claim(hash: string, patience: number): Promise<Claim> {
    return new Promise((resolve) => {
      let isLate = false
      const deadline = this.#timers.after(patience, () => {
        isLate = true
        resolve({ state: 'none' })
      })
      void this.#claim(hash).then((claim) => {
        this.#timers.cancel(deadline)
        // Nobody waits for it any more, nor must anybody wait for us.
        if (isLate && claim.state === 'held') claim.ticket.release()
        resolve(claim)
      })
    })
  }

  async #claim(hash: string): Promise<Claim> {
    const key = this.#tier.leaseKey(hash)
    const outcome = await this.#tier.call('lease', () => this.#lease.acquire(key, LEASE_LIFE))
    if (!outcome.isOk) return { state: 'none' }
    if (typeof outcome.value !== 'string') return { state: 'elsewhere' }
    // Those of this worker who wait for the key need not wait for a moment to pass.
    const onReleased = (): void => this.wake(hash)
    const ticket = new Ticket(this.#tier, this.#lease, this.#timers, key, outcome.value, onReleased)
    return { state: 'held', ticket }
  }

  /** Until a peer has spoken of the key, or the `look`th moment has passed; they grow longer. */
  change(hash: string, look: number): Promise<void> {
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(hash) ?? new Set()
      this.#waiting.set(hash, waiting)
      const end = (): void => {
        this.#timers.cancel(alarm)
        waiting.delete(end)
        if (waiting.size === 0) this.#waiting.delete(hash)
        resolve()
      }
      const alarm = this.#timers.after(Math.min(FIRST_LOOK * 2 ** look, SLOWEST_LOOK), end)
      waiting.add(end)
    })
  }

  /** A peer has spoken of the key. */
  wake(hash: string): void {
    for (const end of [...(this.#waiting.get(hash) ?? [])]) end()
  }
}

export class Ticket {
  readonly #tier: StorageTier
  readonly #lease: LeaseProvider
  readonly #timers: TimerQueue
  readonly #key: string
  readonly #token: string
  readonly #onReleased: () => void
  #renewal: Alarm | null = null
  #end: Alarm | null = null
  #isOver = false

  constructor(
    tier: StorageTier,
    lease: LeaseProvider,
    timers: TimerQueue,
    key: string,
    token: string,
    onReleased: () => void,
  ) {
    this.#onReleased = onReleased
    this.#tier = tier
    this.#lease = lease
    this.#timers = timers
    this.#key = key
    this.#token = token
    this.#keep()
  }

  /** The others wait for our write to L2, but not for an L2 that does not take it. */
  releaseWithin(milliseconds: number): void {
    if (!this.#isOver) this.#end ??= this.#timers.after(milliseconds, () => this.release())
  }

  release(): void {
    if (this.#isOver) return
    this.#isOver = true
    if (this.#renewal !== null) this.#timers.cancel(this.#renewal)
    if (this.#end !== null) this.#timers.cancel(this.#end)
    void this.#tier.call('lease', () => this.#lease.release(this.#key, this.#token)).then(this.#onReleased)
  }

  #keep(): void {
    if (this.#lease.renew === undefined) return
    this.#renewal = this.#timers.after(LEASE_LIFE / 3, async () => {
      const outcome = await this.#tier.call('lease', () =>
        this.#lease.renew?.(this.#key, this.#token, LEASE_LIFE),
      )
      // A holder that has lost its lease still answers its own callers.
      if (!this.#isOver && outcome.isOk && outcome.value === true) this.#keep()
      else if (!this.#isOver && !outcome.isOk) this.#keep()
    })
  }
}
