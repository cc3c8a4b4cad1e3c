/** What a client rejects with, as the library's own error. May import errors only. */

import { MissingDriverError, StorageError } from '../../errors.ts'

// An error reply begins with its code in capitals; what the client says itself does not.
const REPLY = /^[A-Z]{2,}\b/
// Replies by which a server says that it cannot serve now.
const AWAY = /^(?:LOADING|CLUSTERDOWN|MASTERDOWN|TRYAGAIN|READONLY|BUSY|NOAUTH|WRONGPASS)\b/

export function toStorageError(error: unknown): StorageError | MissingDriverError {
  if (error instanceof StorageError || error instanceof MissingDriverError) return error
  const message = reasonOf(error)
  const hasAnswered = REPLY.test(message) && !AWAY.test(message)
  return new StorageError(
    hasAnswered ? 'STORAGE_FAILED' : 'STORAGE_UNAVAILABLE',
    `Redis ${hasAnswered ? 'answered' : 'is not available'}: ${message}`,
    { cause: error },
  )
}

/** Some errors of sockets (one per address tried) have no message of their own. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.message !== '') return error.message
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ')
  return (error as { code?: string }).code ?? error.name
}
