/** `stackquery/devalue`: a serializer for more than JSON. */
export { type Devalue, type DevalueSerializerOptions, devalueSerializer } from './devalue-serializer.ts'
export type { CarriedType } from './types-option.ts'
