/** What a query key is made of. Types only; imports nothing. */

export type KeyPart =
  | string
  | number
  | boolean
  | null
  | bigint
  | Date
  | readonly KeyPart[]
  | { readonly [property: string]: KeyPart | undefined }

/**
 * Names a query: `['user', 123]`, `['todos', { page: 2 }]`. The order of parts matters (a shorter key is the
 * prefix of a longer one), the order of properties inside an object does not.
 */
export type QueryKey = readonly KeyPart[]
