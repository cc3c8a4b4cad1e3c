/** What user code throws, made an `Error`. Knows nothing of queries. */

import { StackQueryError } from '../errors.ts'

/** What was thrown, as an `Error`; anything else is wrapped (`NON_ERROR_THROWN`) and kept as its `cause`. */
export function asError(thrown: unknown): Error {
  if (thrown instanceof Error || isErrorOfAnotherRealm(thrown)) return thrown
  return new StackQueryError('NON_ERROR_THROWN', `A function threw ${textOf(thrown)}, which is no Error.`, {
    cause: thrown,
  })
}

function isErrorOfAnotherRealm(thrown: unknown): thrown is Error {
  try {
    return Object.prototype.toString.call(thrown) === '[object Error]'
  } catch {
    return false
  }
}

/** Anything can be thrown, also what has no text and throws when asked for it. */
function textOf(thrown: unknown): string {
  try {
    return String(thrown)
  } catch {
    return `a value of type ${typeof thrown}`
  }
}
