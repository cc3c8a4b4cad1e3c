/** The calls of the origin, as any program makes them: nothing here knows of caches. */

import { type Airport, CALLER_HEADER, type Caller } from './origin.ts'

export class OriginClient {
  readonly #url: string
  readonly #caller: Caller
  /** What came over HTTP, and not out of a cache. */
  readonly #delivered = new WeakSet<object>()

  constructor(url: string, caller: Caller) {
    this.#url = url
    this.#caller = caller
  }

  codes(signal: AbortSignal): Promise<string[]> {
    return this.#call('/airports', { signal })
  }

  async airport(icao: string, signal: AbortSignal): Promise<Airport> {
    const airport = await this.#call<Airport>(`/airports/${encodeURIComponent(icao)}`, { signal })
    this.#delivered.add(airport)
    return airport
  }

  setDelay(icao: string, minutes: number): Promise<Airport> {
    return this.#call(`/airports/${encodeURIComponent(icao)}`, { method: 'PUT', body: String(minutes) })
  }

  hasDelivered(airport: Airport): boolean {
    return this.#delivered.has(airport)
  }

  async #call<T>(path: string, init: RequestInit): Promise<T> {
    const response = await fetch(this.#url + path, { ...init, headers: { [CALLER_HEADER]: this.#caller } })
    const body = await response.json()
    if (!response.ok) throw new Error(`${init.method ?? 'GET'} ${path}: status ${response.status}`)
    return body as T
  }
}
