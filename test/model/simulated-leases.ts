/** The leases of the simulated store, and who has held them until when. */

interface Lease {
  readonly token: string
  readonly holder: string
  expiresAt: number
}

export class SimulatedLeases {
  readonly #now: () => number
  readonly #held = new Map<string, Lease>()
  /** By key: until when anyone has held it, of the leases that are over. */
  readonly #lastHeld = new Map<string, number>()
  #made = 0
  /** When they were lost. */
  lostAt = -1

  constructor(now: () => number) {
    this.#now = now
  }

  acquire(key: string, holder: string, ttl: number): string | null {
    if (this.#living(key) !== undefined) return null
    const token = `lease ${++this.#made}`
    this.#held.set(key, { token, holder, expiresAt: this.#now() + ttl })
    return token
  }

  renew(key: string, token: string, ttl: number): boolean {
    const lease = this.#living(key)
    if (lease?.token !== token) return false
    lease.expiresAt = this.#now() + ttl
    return true
  }

  release(key: string, token: string): void {
    if (this.#living(key)?.token === token) this.#end(key, this.#now())
  }

  lose(): void {
    for (const key of [...this.#held.keys()]) this.#end(key, this.#now())
    this.lostAt = this.#now()
  }

  /** Whether anyone has held it at that moment or since. */
  wasHeldSince(key: string, moment: number): boolean {
    return this.#living(key) !== undefined || (this.#lastHeld.get(key) ?? -1) >= moment
  }

  #living(key: string): Lease | undefined {
    const lease = this.#held.get(key)
    if (lease === undefined || lease.expiresAt > this.#now()) return lease
    this.#end(key, lease.expiresAt)
    return undefined
  }

  #end(key: string, at: number): void {
    this.#held.delete(key)
    this.#lastHeld.set(key, at)
  }
}
