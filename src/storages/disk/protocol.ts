/** What the storage and its writing thread say to each other. Types only, but for the errors' way across. */

import { StackQueryError, StorageError } from '../../errors.ts'
import type { GateWord } from '../../resilience/transaction-gate.ts'
import type { EvictionPolicy } from './options.ts'

export interface WriterSettings {
  readonly directory: string
  readonly sizeLimit: number
  readonly eviction: EvictionPolicy
  readonly feedLength: number
  /** The data file that was found damaged, to be set aside. */
  readonly condemned: string | undefined
  readonly gate: GateWord
}

export type Operation =
  | {
      /** `add` stores where there is no live value. */
      readonly kind: 'set' | 'add'
      readonly key: string
      /** `undefined`: has run out already. */
      readonly value: string | undefined
      readonly expiresAt: number
    }
  | { readonly kind: 'delete' | 'touch'; readonly key: string }
  | { readonly kind: 'append'; readonly message: string }
  | {
      readonly kind: 'acquire' | 'renew' | 'release'
      readonly key: string
      readonly token: string
      readonly ttl: number
    }

export interface WriteRequest {
  readonly id: number
  readonly operations: readonly Operation[]
}

export type ToWriter =
  | { readonly kind: 'write'; readonly requests: readonly WriteRequest[] }
  | { readonly kind: 'close' }

export type FromWriter =
  | { readonly kind: 'opened'; readonly identity: string }
  | { readonly kind: 'refused'; readonly error: PackedError }
  /** `refused`, some of `ids`: an `add` to a key that has a value, a lease that another holds. */
  | { readonly kind: 'written'; readonly ids: readonly number[]; readonly refused: readonly number[] }
  | { readonly kind: 'failed'; readonly ids: readonly number[]; readonly error: PackedError }
  | { readonly kind: 'warning'; readonly message: string }
  /** The data file is damaged, or is no longer the one under the path. The thread does no more. */
  | { readonly kind: 'lost'; readonly reason: string; readonly condemned: string | undefined }

export interface PackedError {
  readonly code: 'STORAGE_UNAVAILABLE' | 'STORAGE_FAILED'
  readonly message: string
  readonly cause: unknown
}

export function packError(error: unknown, doing: string): PackedError {
  if (error instanceof StackQueryError) {
    const code = error.code === 'STORAGE_UNAVAILABLE' ? 'STORAGE_UNAVAILABLE' : 'STORAGE_FAILED'
    return { code, message: error.message, cause: error.cause }
  }
  const cause = error instanceof Error ? error : new Error(String(error))
  return { code: 'STORAGE_FAILED', message: `${doing} failed: ${cause.message}`, cause }
}

export function unpackError({ code, message, cause }: PackedError): StorageError {
  return new StorageError(code, message, { cause })
}
