/**
 * What passes between the calling thread and the writing one. May import siblings, errors and resilience.
 */

import { StackQueryError, StorageError } from '../../errors.ts'
import type { GateWord } from '../../resilience/transaction-gate.ts'
import type { WriteBatch } from './committer.ts'
import type { EngineSettings } from './connect.ts'
import type { SQLiteDriverName } from './driver.ts'
import type { CommitReport, OpenReport } from './write-engine.ts'

export interface ThreadData {
  /** The first of them that can be loaded; none named = the one that this runtime has. */
  readonly drivers: readonly SQLiteDriverName[] | undefined
  readonly settings: EngineSettings
  readonly gate: GateWord
}

export type ThreadCall =
  | { readonly call: 'open'; readonly isSuspect: boolean }
  | { readonly call: 'commit'; readonly batch: WriteBatch }
  | { readonly call: 'close' }

export type ThreadRequest = ThreadCall & { readonly id: number }

export interface ThreadAnswer {
  readonly id: number
  readonly report?: OpenReport | undefined
  readonly refused?: readonly number[] | undefined
  readonly failures?: readonly (readonly [number, FlatError])[] | undefined
  readonly error?: FlatError | undefined
}

/** A structured clone keeps neither the class of an error nor its code. */
export interface FlatError {
  readonly code: string
  readonly message: string
}

export function flattenError(error: unknown): FlatError {
  const message = error instanceof Error ? error.message : String(error)
  return { code: error instanceof StackQueryError ? error.code : 'STORAGE_FAILED', message }
}

export function restoreError({ code, message }: FlatError): StorageError {
  return new StorageError(code === 'STORAGE_UNAVAILABLE' ? code : 'STORAGE_FAILED', message)
}

export function packCommit(id: number, { identity, notices, failures, refused }: CommitReport): ThreadAnswer {
  if (failures.size === 0) return { id, report: { identity, notices }, refused }
  return {
    id,
    report: { identity, notices },
    refused,
    failures: [...failures].map(([i, error]) => [i, flattenError(error)] as const),
  }
}

export function unpackCommit({ report, refused = [], failures = [] }: ThreadAnswer): CommitReport {
  return { ...report!, refused, failures: new Map(failures.map(([i, error]) => [i, restoreError(error)])) }
}
