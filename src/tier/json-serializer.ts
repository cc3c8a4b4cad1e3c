/**
 * The default serializer: JSON, which refuses what JSON would change.
 *
 * Refused, with the path: Date, Map, Set and any other class instance, functions, symbols, bigints, NaN and the
 * infinities, -0, undefined and holes in arrays, arrays with properties of their own, cycles, a property named
 * `__proto__`, more than 1,000 levels. A property that is undefined is the same as a missing one, as in keys; an object
 * without a prototype comes back as a plain one. Nearly all data is carried, so it is looked through quickly first, and again,
 * with the path in mind, only where something is found. Pure.
 */

import { NotSerializableError } from '../errors.ts'
import type { Serializer } from '../ports/serializer.ts'

/** Where `JSON.stringify` gives up depends on the caller's stack; this is well before it. */
const DEEPEST = 1_000
/** What is nested deeper, a cycle for one, is not looked through quickly. */
const SHALLOW = 100

export const jsonSerializer: Serializer = {
  name: 'json',
  stringify(value) {
    if (!isCarried(value, SHALLOW)) assertCarried(value, '', [])
    return JSON.stringify(value)
  },
  parse: (text) => JSON.parse(text),
}

/** `false`: something is to be refused, or there are more than so many levels. */
function isCarried(value: unknown, levels: number): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
    case 'object':
      return value === null || (levels > 0 && isObjectCarried(value, levels - 1))
    default:
      return false
  }
}

function isObjectCarried(value: object, levels: number): boolean {
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) if (!isCarried(value[i], levels)) return false
    return Object.keys(value).length === value.length
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  const isPlain = prototype === Object.prototype || prototype === null
  if (!isPlain && Object.getPrototypeOf(prototype) !== null) return false
  if (Object.getOwnPropertySymbols(value).length > 0) return false
  // Meets what is inherited, too: at the worst it is looked through once more.
  for (const name in value) {
    if (name === '__proto__') return false
    const property = (value as Record<string, unknown>)[name]
    if (property !== undefined && !isCarried(property, levels)) return false
  }
  return true
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
