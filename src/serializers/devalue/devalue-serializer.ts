/**
 * A serializer on the library devalue (https://github.com/sveltejs/devalue), which the user passes in: it carries what
 * JSON cannot, and refuses the rest.
 *
 * Carried: all of JSON, undefined, holes, NaN, the infinities, -0, bigint, Date, Map, Set, RegExp, URL,
 * URLSearchParams, ArrayBuffer, typed arrays, DataView, boxed primitives, objects without a prototype, cycles and
 * repeated references, and the user's own `types`. A view of a part of a buffer comes back as one of a buffer of its own.
 * Refused, with the path: functions, symbols, promises, instances of other classes (of subclasses of the above too),
 * own properties on arrays and built-in objects, `__proto__`, what is nested too deep for the stack. Stateless.
 */

import { InvalidOptionError, MissingDriverError, NotSerializableError } from '../../errors.ts'
import type { Serializer } from '../../ports/serializer.ts'
import { changeOf, isPartialView, pathOf } from './carried.ts'
import { assertTypes, type CarriedType } from './types-option.ts'

/** What is used of devalue, 5 or newer. */
export interface Devalue {
  stringify(value: unknown, reducers?: Record<string, (value: unknown) => unknown>): string
  parse(text: string, revivers?: Record<string, (value: unknown) => unknown>): unknown
}

export interface DevalueSerializerOptions {
  /**
   * Types of your own by name: letters, digits and `_`. The name is stored with each value; a client that does not know it
   * has a miss.
   *
   * @default none
   * @example
   * types: { Money: { encode: (value) => value instanceof Money && [value.amount], decode: ([amount]) => new Money(amount) } }
   */
  readonly types?: Readonly<Record<string, CarriedType>> | undefined
}

/** Thrown through devalue; the path is found afterwards. */
class Refusal extends Error {
  readonly value: unknown

  constructor(value: unknown, what: string) {
    super(what)
    this.value = value
  }
}

/**
 * @param devalue the library: `import * as devalue from 'devalue'`
 * @throws MissingDriverError (`MISSING_DRIVER`) without the library
 * @throws InvalidOptionError (`INVALID_OPTION`) where it is something else, or `types` are wrong
 */
export function devalueSerializer(devalue: Devalue, options: DevalueSerializerOptions = {}): Serializer {
  assertDevalue(devalue)
  const { types = {} } = options
  assertTypes(types)
  const reducers: Record<string, (value: unknown) => unknown> = {}
  const revivers: Record<string, (value: unknown) => unknown> = {}
  for (const [name, { encode, decode }] of Object.entries(types)) {
    // Marked, so that no name means one of devalue's own.
    reducers[`$${name}`] = encode
    revivers[`$${name}`] = decode
  }
  // After the user's: what they know is carried as they say.
  reducers['view'] = (value) => {
    const change = changeOf(value)
    if (change !== undefined) throw new Refusal(value, change)
    return isPartialView(value) && value.slice()
  }
  revivers['view'] = (value) => value
  return {
    name: 'devalue',
    stringify(value) {
      try {
        return devalue.stringify(value, reducers)
      } catch (error) {
        throw refused(error, value)
      }
    },
    parse: (text) => devalue.parse(text, revivers),
  }
}

function assertDevalue(devalue: unknown): asserts devalue is Devalue {
  if (devalue === undefined || devalue === null) {
    throw new MissingDriverError(
      "devalueSerializer needs the library: npm install devalue, and pass it: import * as devalue from 'devalue'.",
    )
  }
  const { stringify, parse } = devalue as Partial<Devalue>
  if (typeof stringify !== 'function' || typeof parse !== 'function')
    throw new InvalidOptionError(
      `Invalid devalue: ${typeof devalue} without stringify and parse; expected import * as devalue from 'devalue'.`,
    )
}

function refused(error: unknown, root: unknown): unknown {
  if (error instanceof Refusal) return refusal(pathOf(error.value, root), `it is ${error.message}`)
  if (error instanceof RangeError) return refusal('', 'it is nested too deep')
  const { name, path, message } = error as { name?: unknown; path?: unknown; message: string }
  // What else is thrown is of the user's own types.
  return name === 'DevalueError' ? refusal(String(path ?? ''), lowerFirst(message)) : error
}

function refusal(path: string, why: string): NotSerializableError {
  const where = path === '' ? 'the data' : `data${path.length > 200 ? `${path.slice(0, 200)}…` : path}`
  return new NotSerializableError(`devalue cannot carry ${where}: ${why}.`, path)
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}
