/** Errors and data that come from a user's functions, made what the library promises of them. */

import { StackQueryError, ValidationError } from '../errors.ts'
import type { StandardSchemaV1 } from '../ports/standard-schema.ts'

/**
 * The data as the schema gives it back.
 *
 * @throws ValidationError (`VALIDATION_FAILED`)
 */
export async function validated(schema: StandardSchemaV1, data: unknown, hash: string): Promise<unknown> {
  const result = await schema['~standard'].validate(data)
  if (result.issues === undefined) return result.value
  const first = result.issues[0]?.message ?? 'no reason given'
  const more = result.issues.length > 1 ? ` (and ${result.issues.length - 1} more)` : ''
  throw new ValidationError(`Data of ${hash} does not fit its schema: ${first}${more}.`, result.issues)
}

/** What was thrown, as an `Error`; anything else is wrapped (`NON_ERROR_THROWN`) and kept as its `cause`. */
export function asError(thrown: unknown): Error {
  if (thrown instanceof Error || Object.prototype.toString.call(thrown) === '[object Error]')
    return thrown as Error
  return new StackQueryError('NON_ERROR_THROWN', `A function threw ${String(thrown)}, which is no Error.`, {
    cause: thrown,
  })
}
