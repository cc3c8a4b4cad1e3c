/**
 * An operation as its transaction takes it: made ready before the lock is taken, so that the lock is held for the
 * writing alone. Pure; may import siblings.
 */

import { encodeKey } from './key.ts'
import type { LeaseRequest } from './lease-ledger.ts'
import { type PreparedMessage, prepareMessage } from './message-log.ts'
import type { Operation } from './protocol.ts'
import { type PreparedRow, prepareRow } from './row.ts'

export type Step =
  | {
      readonly kind: 'set' | 'add'
      readonly key: Buffer
      /** `undefined`: has run out already. */
      readonly row: PreparedRow | undefined
      readonly expiresAt: number
    }
  | { readonly kind: 'delete' | 'touch'; readonly key: Buffer }
  | { readonly kind: 'append'; readonly message: PreparedMessage }
  | LeaseRequest

export function prepareStep(operation: Operation): Step {
  switch (operation.kind) {
    case 'append':
      return { kind: 'append', message: prepareMessage(operation.message) }
    case 'acquire':
    case 'renew':
    case 'release':
      return { ...operation, key: encodeKey(operation.key) }
    case 'set':
    case 'add': {
      const key = encodeKey(operation.key)
      const { kind, value, expiresAt } = operation
      const row = value === undefined ? undefined : prepareRow(operation.key, key, value, expiresAt)
      return { kind, key, row, expiresAt }
    }
    default:
      return { kind: operation.kind, key: encodeKey(operation.key) }
  }
}

/** About what it adds to the file. */
export function bytesOf(step: Step): number {
  if (step.kind === 'append') return step.message.bytes
  return step.kind === 'set' || step.kind === 'add' ? (step.row?.bytes ?? 0) : 0
}
