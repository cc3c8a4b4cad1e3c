/**
 * The default serializer: JSON, which refuses what JSON would change.
 *
 * Refused, with the path: Date, Map, Set and any other class instance, functions, symbols, bigints, NaN and the
 * infinities, -0, undefined and holes in arrays, arrays with properties of their own, cycles, a property named
 * `__proto__`, more than 1,000 levels. A property that is undefined is the same as a missing one, as in keys; an object
 * without a prototype comes back as a plain one. Pure.
 */

import { NotSerializableError } from '../errors.ts'
import type { Serializer } from '../ports/serializer.ts'

/** Where `JSON.stringify` gives up depends on the caller's stack; this is well before it. */
const DEEPEST = 1_000

export const jsonSerializer: Serializer = {
  name: 'json',
  stringify(value) {
    assertCarried(value, '', [])
    return JSON.stringify(value)
  },
  parse: (text) => JSON.parse(text),
}

function assertCarried(value: unknown, path: string, ancestors: object[]): void {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return
    case 'number':
      if (Number.isFinite(value) && !Object.is(value, -0)) return
      throw refused(path, Object.is(value, -0) ? '-0' : String(value))
    case 'object':
      if (value !== null) assertObjectCarried(value, path, ancestors)
      return
    default:
      throw refused(path, typeof value === 'undefined' ? 'undefined' : `a ${typeof value}`)
  }
}

function assertObjectCarried(value: object, path: string, ancestors: object[]): void {
  if (ancestors.includes(value)) throw refused(path, 'a reference to one of its own ancestors')
  if (ancestors.length === DEEPEST) throw refused(path, `more than ${DEEPEST} levels deep`)
  ancestors.push(value)
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) assertCarried(value[i], `${path}[${i}]`, ancestors)
    // A match of a regular expression is one.
    if (Object.keys(value).length > value.length) throw refused(path, 'an array with properties of its own')
  } else {
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
      throw refused(path, `an instance of ${value.constructor?.name ?? 'a class'}`)
    }
    if (Object.getOwnPropertySymbols(value).length > 0)
      throw refused(path, 'an object with symbols for properties')
    for (const name of Object.keys(value)) {
      if (name === '__proto__')
        throw refused(`${path}.${name}`, 'a property that JavaScript treats as a prototype')
      const property = (value as Record<string, unknown>)[name]
      if (property !== undefined) assertCarried(property, `${path}.${name}`, ancestors)
    }
  }
  ancestors.pop()
}

function refused(path: string, what: string): NotSerializableError {
  const where = path === '' ? 'the data' : `data${path.length > 200 ? `${path.slice(0, 200)}…` : path}`
  return new NotSerializableError(`JSON cannot carry ${where}: it is ${what}.`, path)
}
