/**
 * The suite's own assertions, so that it runs wherever a storage runs: no runner, no `node:assert`.
 * Messages say what was looked at and shorten what is long. Imports nothing.
 */

const SHOWN = 80

/** Thrown where a storage does not do what the port says. */
export class ConformanceError extends Error {
  override readonly name = 'ConformanceError'
}

export function ok(condition: boolean, what: string): asserts condition {
  if (!condition) throw new ConformanceError(what)
}

export function equal(actual: unknown, expected: unknown, what: string): void {
  if (Object.is(actual, expected)) return
  throw new ConformanceError(
    `${what}: expected ${show(expected)}, got ${show(actual)}${difference(actual, expected)}`,
  )
}

/** `null` and `undefined` both mean that there is none. */
export function isMissing(actual: unknown, what: string): void {
  ok(actual === null || actual === undefined, `${what}: expected null or undefined, got ${show(actual)}`)
}

export function sameList(actual: unknown, expected: readonly unknown[], what: string): void {
  ok(Array.isArray(actual), `${what}: expected an array, got ${show(actual)}`)
  equal(actual.length, expected.length, `${what}: length`)
  expected.forEach((value, index) => {
    if (value === null) isMissing(actual[index], `${what}: number ${index}`)
    else equal(actual[index], value, `${what}: number ${index}`)
  })
}

/** The same strings, in any order; one that is told twice counts once. */
export function sameSet(actual: Iterable<string>, expected: Iterable<string>, what: string): void {
  sameList([...new Set(actual)].sort(), [...new Set(expected)].sort(), what)
}

/** Awaits a failure, thrown or rejected. That it comes at all is the deadline's to see. */
export async function fails(operation: () => unknown, what: string): Promise<void> {
  let answer: unknown
  try {
    answer = await operation()
  } catch {
    return
  }
  throw new ConformanceError(`${what}: expected a rejection, got the answer ${show(answer)}`)
}

export function show(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value.slice(0, SHOWN)) : String(value)
  if (typeof value === 'string' && value.length > SHOWN) return `${text}… (${value.length} characters)`
  return text.slice(0, 2 * SHOWN)
}

function difference(actual: unknown, expected: unknown): string {
  if (typeof actual !== 'string' || typeof expected !== 'string') return ''
  let at = 0
  while (at < actual.length && actual.charCodeAt(at) === expected.charCodeAt(at)) at += 1
  return ` (they part at ${at}: ${codeAt(expected, at)}, ${codeAt(actual, at)})`
}

function codeAt(text: string, at: number): string {
  return at < text.length ? `U+${text.charCodeAt(at).toString(16).padStart(4, '0')}` : 'the end'
}
