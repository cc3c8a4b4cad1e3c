/**
 * The part of Standard Schema version 1 (https://standardschema.dev) that `validate` needs, so that any zod,
 * valibot or arktype schema fits without being imported. Interfaces only.
 */

import type { Awaitable } from './storage.ts'

export interface StandardSchemaV1<Output = unknown> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => Awaitable<StandardResult<Output>>
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined
  }
}

export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string; readonly path?: unknown }[] }
