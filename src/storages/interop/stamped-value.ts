/**
 * A value with its expiry, as text for stores that know none: `sq1|expiry|length|form|text`.
 *
 * Invariants: what was not written by `stamp`, was cut short or has run out reads as none. The text begins with
 * a letter, so nobody takes it for JSON, and holds no NUL and no lone surrogate, which files and databases do
 * not keep: a value with one is carried as JSON, where they are escaped. Imports nothing.
 */

const STAMPED = /^sq1\|(\d*)\|(\d+)\|([tj])\|/
const NOT_PORTABLE = /[\0\p{Surrogate}]/u

/** `expiresAt` in epoch milliseconds; `Infinity` = never. */
export function stamp(value: string, expiresAt: number): string {
  const isPortable = !NOT_PORTABLE.test(value)
  const text = isPortable ? value : JSON.stringify(value)
  const expiry = expiresAt <= Number.MAX_SAFE_INTEGER ? String(Math.ceil(expiresAt)) : ''
  return `sq1|${expiry}|${text.length}|${isPortable ? 't' : 'j'}|${text}`
}

/** The value, or `null` where there is none that counts at `now`. */
export function readStamped(stamped: string, now: number): string | null {
  const head = STAMPED.exec(stamped)
  if (head === null) return null
  const [start, expiry, length, form] = head as unknown as [string, string, string, string]
  if (expiry !== '' && Number(expiry) <= now) return null
  const text = stamped.slice(start.length)
  if (text.length !== Number(length)) return null
  return form === 't' ? text : parseString(text)
}

function parseString(text: string): string | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'string' ? value : null
  } catch {
    return null
  }
}
