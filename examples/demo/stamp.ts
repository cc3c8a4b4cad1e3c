/**
 * Proof that a record is one that the origin has really had: each version carries a code that only this run's origin
 * can make. A value that a cache has mixed up, changed or kept from elsewhere cannot have it.
 */

import { createHmac } from 'node:crypto'
import type { Airport } from './origin.ts'

export function stamped(secret: string, airport: Airport): Airport {
  return { ...airport, stamp: stampOf(secret, airport) }
}

export function isGenuine(secret: string, airport: Airport): boolean {
  return airport.stamp === stampOf(secret, airport)
}

function stampOf(secret: string, airport: Airport): string {
  return createHmac('sha1', secret)
    .update(JSON.stringify({ ...airport, stamp: '' }))
    .digest('base64url')
}
