/**
 * Every error that the library itself raises, each with a stable `code`.
 *
 * Invariant: messages quote the offending value and say what was expected; a code, once released, keeps
 * its meaning. May import nothing.
 */

export type ErrorCode =
  | 'INVALID_QUERY_KEY'
  | 'INVALID_OPTION'
  | 'MISSING_QUERY_FN'
  | 'UNDEFINED_DATA'
  | 'NON_ERROR_THROWN'
  | 'VALIDATION_FAILED'
  | 'CANCELLED'
  | 'FETCH_TIMEOUT'
  | 'CLIENT_CLOSED'
  | 'NOT_SERIALIZABLE'
  | 'STORAGE_TIMEOUT'
  | 'STORAGE_UNAVAILABLE'
  | 'STORAGE_FAILED'
  | 'MISSING_DRIVER'

/** Base of every error raised by StackQuery. Switch on `code`, never on the text. */
export class StackQueryError extends Error {
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = new.target.name
    this.code = code
  }
}

/** A query key holds something that has no canonical form. Names the path and what was found there. */
export class InvalidQueryKeyError extends StackQueryError {
  constructor(message: string) {
    super('INVALID_QUERY_KEY', message)
  }
}

/** An option, argument or filter is out of its range. Quotes the value and says what was expected. */
export class InvalidOptionError extends StackQueryError {
  constructor(message: string) {
    super('INVALID_OPTION', message)
  }
}

/** The query was cancelled (`cancelQueries`, `resetQueries`, `close`, or a caller's own signal). */
export class CancelledError extends StackQueryError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('CANCELLED', message, options)
  }
}

/** A fetch took longer than its `fetchTimeout`. */
export class FetchTimeoutError extends StackQueryError {
  constructor(message: string) {
    super('FETCH_TIMEOUT', message)
  }
}

/** Data did not pass the query's `validate` schema; `issues` is what the schema reported. */
export class ValidationError extends StackQueryError {
  readonly issues: readonly unknown[]

  constructor(message: string, issues: readonly unknown[]) {
    super('VALIDATION_FAILED', message)
    this.issues = issues
  }
}

/**
 * A value cannot be carried by the serializer; `path` is where in the value. Thrown by a `Serializer`, caught
 * by the library: the value stays in L1.
 */
export class NotSerializableError extends StackQueryError {
  readonly path: string

  constructor(message: string, path: string) {
    super('NOT_SERIALIZABLE', message)
    this.path = path
  }
}

/** A storage operation failed, timed out or was refused. Seen in logs and `stats()`, never by a caller of a fetch. */
export class StorageError extends StackQueryError {
  constructor(
    code: 'STORAGE_TIMEOUT' | 'STORAGE_UNAVAILABLE' | 'STORAGE_FAILED',
    message: string,
    options?: { cause?: unknown },
  ) {
    super(code, message, options)
  }
}

/** An optional peer dependency is needed and not installed. Says what to install. */
export class MissingDriverError extends StackQueryError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('MISSING_DRIVER', message, options)
  }
}
