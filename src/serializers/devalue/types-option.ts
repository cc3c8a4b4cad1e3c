/** The user's own types: what may be said of them, and the check of it. May import errors. */

import { InvalidOptionError } from '../../errors.ts'

/** How values of one type go through text. */
export interface CarriedType {
  /**
   * What is written for `value`, itself of anything that can be carried and truthy; a falsy result means that `value`
   * is not of this type.
   */
  encode(value: unknown): unknown
  /** The value again, of what `encode` gave. */
  // biome-ignore lint/suspicious/noExplicitAny: it is whatever `encode` of the same type gave.
  decode(data: any): unknown
}

/** @throws InvalidOptionError (`INVALID_OPTION`) */
export function assertTypes(types: unknown): asserts types is Record<string, CarriedType> {
  if (typeof types !== 'object' || types === null)
    throw new InvalidOptionError(`Invalid types: ${String(types)}; expected an object of types by name.`)
  for (const [name, type] of Object.entries(types as Record<string, Partial<CarriedType> | null>)) {
    if (!/^\w+$/.test(name))
      throw new InvalidOptionError(
        `Invalid name in types: ${JSON.stringify(name)}; expected letters, digits and "_".`,
      )
    if (typeof type?.encode !== 'function' || typeof type.decode !== 'function')
      throw new InvalidOptionError(`Invalid types.${name}; expected an object with encode and decode.`)
  }
}
