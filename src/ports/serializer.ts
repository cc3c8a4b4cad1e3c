/** The port to serialization: a value to a string and back, or an error; never a changed value. Interfaces only. */

export interface Serializer {
  /** Throws where it cannot carry `value` such that `parse` gives back an equal one, types included. */
  stringify(value: unknown): string
  parse(text: string): unknown
  /** A short stable name kept in the envelope: a value written by another serializer is a miss. Default `'custom'`. */
  readonly name?: string | undefined
}
