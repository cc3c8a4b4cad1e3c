/** Data that comes from outside, made what its schema promises. */

import { ValidationError } from '../errors.ts'
import type { StandardSchemaV1 } from '../ports/standard-schema.ts'

/**
 * The data as the schema gives it back.
 *
 * @throws ValidationError (`VALIDATION_FAILED`)
 */
export async function validated(schema: StandardSchemaV1, data: unknown, hash: string): Promise<unknown> {
  const result = await schema['~standard'].validate(data)
  if (result.issues === undefined) {
    if (result.value !== undefined) return result.value
    throw new ValidationError(`The schema of ${hash} gave undefined; expected data, or null for none.`, [])
  }
  const first = result.issues[0]?.message ?? 'no reason given'
  const more = result.issues.length > 1 ? ` (and ${result.issues.length - 1} more)` : ''
  throw new ValidationError(`Data of ${hash} does not fit its schema: ${first}${more}.`, result.issues)
}
