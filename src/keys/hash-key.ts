/**
 * The canonical form of keys: equal keys, and only they, have equal strings.
 *
 * Strings are quoted, so the unquoted tags of the other types (`D123` a Date, `7n` a bigint) can never equal
 * one. Properties are sorted by code unit; an undefined property is the same as a missing one. Pure.
 */

import { InvalidQueryKeyError } from '../errors.ts'
import type { KeyPart, QueryKey } from './query-key.ts'

const EXPECTED =
  'expected strings, numbers, booleans, null, bigints, valid Dates, and plain objects or arrays of these'

/** Strings that JSON would print as they are: the fast path of nearly every key. */
const PLAIN = /^[\w .:/@-]*$/

/**
 * The canonical string of a key.
 *
 * @throws InvalidQueryKeyError (`INVALID_QUERY_KEY`) naming the path of what has no canonical form.
 */
export function hashKey(key: QueryKey): string {
  assertIsKey(key)
  let text = '['
  for (let i = 0; i < key.length; i++) {
    if (i > 0) text += ','
    text += canonicalPart(key[i] as KeyPart, i)
  }
  return `${text}]`
}

/** The canonical strings of a key's parts: how a key travels. */
export function canonicalParts(key: QueryKey): string[] {
  assertIsKey(key)
  return key.map(canonicalPart)
}

/** Whether `key` begins with the parts of `prefix`; every key begins with `[]`. */
export function partialMatch(key: QueryKey, prefix: QueryKey): boolean {
  assertIsKey(key)
  assertIsKey(prefix)
  if (prefix.length > key.length) return false
  for (let i = 0; i < prefix.length; i++) {
    if (canonicalPart(prefix[i] as KeyPart, i) !== canonicalPart(key[i] as KeyPart, i)) return false
  }
  return true
}

export function assertIsKey(key: unknown): asserts key is QueryKey {
  if (!Array.isArray(key)) {
    throw new InvalidQueryKeyError(
      `Invalid query key ${describe(key)}: expected an array such as ['user', 123].`,
    )
  }
}

/** The canonical string of one part; `position` is where it stands in its key, for the error's path. */
export function canonicalPart(part: KeyPart, position: number): string {
  if (typeof part === 'string') return quote(part)
  if (typeof part === 'number' && !Number.isNaN(part)) return part === 0 ? '0' : `${part}`
  return canonical(part, `key[${position}]`, [])
}

function quote(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text)
}

function canonical(value: unknown, path: string, ancestors: object[]): string {
  switch (typeof value) {
    case 'string':
      return quote(value)
    case 'number':
      if (Number.isNaN(value)) throw invalid(path, value)
      return value === 0 ? '0' : `${value}`
    case 'boolean':
      return value ? 'true' : 'false'
    case 'bigint':
      return `${value}n`
    case 'object':
      return value === null ? 'null' : canonicalObject(value, path, ancestors)
    default:
      throw invalid(path, value)
  }
}

function canonicalObject(value: object, path: string, ancestors: object[]): string {
  if (value instanceof Date) {
    const time = value.getTime()
    if (Number.isNaN(time)) throw invalid(path, value)
    return `D${time}`
  }
  if (ancestors.includes(value)) {
    throw new InvalidQueryKeyError(
      `Invalid query key: ${path} refers back to one of its own ancestors; ${EXPECTED}.`,
    )
  }
  ancestors.push(value)
  const text = Array.isArray(value)
    ? `[${Array.from(value, (item, i) => canonical(item, `${path}[${i}]`, ancestors)).join(',')}]`
    : canonicalRecord(value, path, ancestors)
  ancestors.pop()
  return text
}

function canonicalRecord(value: object, path: string, ancestors: object[]): string {
  if (!isPlainObject(value) || Object.getOwnPropertySymbols(value).length > 0) throw invalid(path, value)
  const record = value as Record<string, unknown>
  let text = '{'
  for (const name of Object.keys(record).sort()) {
    const property = record[name]
    if (property === undefined) continue
    if (text.length > 1) text += ','
    text += `${JSON.stringify(name)}:${canonical(property, `${path}.${name}`, ancestors)}`
  }
  return `${text}}`
}

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  // An object of another realm is plain too: its prototype is a root.
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

function invalid(path: string, value: unknown): InvalidQueryKeyError {
  return new InvalidQueryKeyError(`Invalid query key: ${path} is ${describe(value)}; ${EXPECTED}.`)
}

function describe(value: unknown): string {
  switch (typeof value) {
    case 'function':
      return `a function${value.name === '' ? '' : ` (${value.name})`}`
    case 'string':
      return JSON.stringify(value)
    case 'object':
      if (value === null) return 'null'
      if (value instanceof Date) return 'an invalid Date'
      return isPlainObject(value)
        ? 'a plain object with symbols or none of an array'
        : `a ${value.constructor?.name ?? 'class'} instance`
    default:
      return String(value)
  }
}
