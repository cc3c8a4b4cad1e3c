/** Checks of options, once, where they come in: each quotes the value and says what was expected. Pure. */

import { InvalidOptionError } from '../errors.ts'

export function assertDuration(name: string, value: unknown): void {
  if (value === undefined || (typeof value === 'number' && value >= 0)) return
  throw new InvalidOptionError(
    `Invalid ${name}: ${quoted(value)}; expected a number of milliseconds from 0 to Infinity.`,
  )
}

export function assertPositiveDuration(name: string, value: unknown): void {
  if (value === undefined || (typeof value === 'number' && value > 0)) return
  throw new InvalidOptionError(
    `Invalid ${name}: ${quoted(value)}; expected a number of milliseconds greater than 0.`,
  )
}

export function assertOneOf(name: string, value: unknown, allowed: readonly unknown[]): void {
  if (value === undefined || allowed.includes(value)) return
  throw new InvalidOptionError(
    `Invalid ${name}: ${quoted(value)}; expected ${allowed.map(quoted).join(' or ')}.`,
  )
}

export function assertFunction(name: string, value: unknown): void {
  if (value === undefined || typeof value === 'function') return
  throw new InvalidOptionError(`Invalid ${name}: ${quoted(value)}; expected a function.`)
}

export function assertObject(name: string, value: unknown): void {
  if (typeof value === 'object' && value !== null) return
  throw new InvalidOptionError(`Invalid ${name}: ${quoted(value)}; expected an object.`)
}

export function quoted(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value)
    case 'function':
      return 'a function'
    case 'bigint':
      return `${value}n`
    case 'object':
      if (value === null) return 'null'
      if (Array.isArray(value)) return `an array of ${value.length}`
      return `an object with ${Object.keys(value).length === 0 ? 'no properties' : Object.keys(value).join(', ')}`
    default:
      return String(value)
  }
}
