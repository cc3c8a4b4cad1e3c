/**
 * One origin call per key in the whole fleet, by leases.
 *
 * A fetch that found nothing fresh in L2 asks for its key's lease. Who gets it looks into L2 once more (another may
 * have finished in between), calls the origin, writes L2, and gives the lease up once L2 has the write. Who does not
 * get it waits until a peer says that the key has changed, or for a moment where nobody says so, and looks again.
 * A lease that cannot be asked for means "go ahead".
 *
 * A lease lives `LEASE_LIFE` and is renewed by its holder at a third of that, so that a dead holder costs the others
 * at most its life. A holder that was stopped, or could not renew it, finds it lost: others have gone ahead, and what they
 * brought may be newer than what it brings. A `Ticket` owns the alarms of its renewal and its end, and
 * ends by `release`, once.
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
  readonly #now: () => number
  readonly #waiting = new Map<string, Set<() => void>>()

  /** `now`: milliseconds that never step back. */
  constructor(tier: StorageTier, lease: LeaseProvider, timers: TimerQueue, now: () => number) {
    this.#tier = tier
    this.#lease = lease
    this.#timers = timers
    this.#now = now
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
    const askedAt = this.#now()
    let isGivenUp = false
    const outcome = await this.#tier.call('lease', async () => {
      const token = await this.#lease.acquire(key, LEASE_LIFE)
      // Got when nobody waits for it any more: it would keep everybody from the key for all of its life.
      if (isGivenUp && typeof token === 'string') await this.#lease.release(key, token)
      return token
    })
    isGivenUp = !outcome.isOk
    if (!outcome.isOk) return { state: 'none' }
    if (typeof outcome.value !== 'string') return { state: 'elsewhere' }
    // Those of this worker who wait for the key need not wait for a moment to pass.
    const onReleased = (): void => this.wake(hash)
    const ticket = new Ticket({
      tier: this.#tier,
      lease: this.#lease,
      timers: this.#timers,
      now: this.#now,
      key,
      token: outcome.value,
      askedAt,
      onReleased,
    })
    return { state: 'held', ticket }
  }

  /** Until a peer has spoken of the key, or the `look`th moment has passed; they grow longer. */
  change(hash: string, look: number): Promise<void> {
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(hash) ?? new Set()
      this.#waiting.set(hash, waiting)
      // Somebody waits for the key: the process must not end meanwhile.
      this.#timers.hold()
      const end = (): void => {
        if (!waiting.delete(end)) return
        this.#timers.cancel(alarm)
        this.#timers.release()
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

interface TicketSettings {
  readonly tier: StorageTier
  readonly lease: LeaseProvider
  readonly timers: TimerQueue
  readonly now: () => number
  readonly key: string
  readonly token: string
  /** When the lease was asked for: from then on its life counts, at the worst. */
  readonly askedAt: number
  readonly onReleased: () => void
}

export class Ticket {
  readonly #settings: TicketSettings
  #heldUntil: number
  #renewal: Alarm | null = null
  #end: Alarm | null = null
  #isOver = false

  constructor(settings: TicketSettings) {
    this.#settings = settings
    this.#heldUntil = settings.askedAt + LEASE_LIFE
    this.#keep()
  }

  /** The others wait for our write to L2, but not for an L2 that does not take it. */
  releaseWithin(milliseconds: number): void {
    if (!this.#isOver) this.#end ??= this.#settings.timers.after(milliseconds, () => this.release())
  }

  /** Another may hold the lease by now, or have held it. What cannot be renewed says nothing of that. */
  get isLost(): boolean {
    return this.#settings.lease.renew !== undefined && this.#settings.now() >= this.#heldUntil
  }

  release(): void {
    if (this.#isOver) return
    this.#isOver = true
    const { tier, lease, timers, key, token, onReleased } = this.#settings
    if (this.#renewal !== null) timers.cancel(this.#renewal)
    if (this.#end !== null) timers.cancel(this.#end)
    void tier.call('lease', () => lease.release(key, token)).then(onReleased)
  }

  #keep(): void {
    const { tier, lease, timers, now, key, token } = this.#settings
    if (lease.renew === undefined) return
    this.#renewal = timers.after(LEASE_LIFE / 3, async () => {
      const askedAt = now()
      const outcome = await tier.call('lease', () => lease.renew?.(key, token, LEASE_LIFE))
      if (this.#isOver) return
      if (outcome.isOk && outcome.value !== true) {
        this.#heldUntil = Number.NEGATIVE_INFINITY
        return
      }
      // Lost in between, it was another's for a while, even if it is ours again.
      if (outcome.isOk && !this.isLost) this.#heldUntil = askedAt + LEASE_LIFE
      this.#keep()
    })
  }
}
