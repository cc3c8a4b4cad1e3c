/**
 * Keys that any store keeps apart and gives back: only `a-z`, `0-9` and `_`, whatever the key holds.
 *
 * Stores normalise (`:` and `/` are one thing to unstorage), sanitise (Keyv strips `--`, `../` and more on
 * request), fold case (file systems, SQL collations) and take keys for paths and patterns. Every character but
 * lower-case letters and digits becomes `_` and two hex digits, or `_u` and four: reversible, and a prefix of
 * the key gives a prefix of the result. Imports nothing.
 */

const EMPTY = '_'

export function encodeKey(key: string): string {
  if (key === '') return EMPTY
  return key.replace(/[^a-z0-9]/g, (unit) => {
    const code = unit.charCodeAt(0)
    return code < 256 ? `_${code.toString(16).padStart(2, '0')}` : `_u${code.toString(16).padStart(4, '0')}`
  })
}

/** The key, or `undefined` where `encoded` is no key of ours. */
export function decodeKey(encoded: string): string | undefined {
  if (encoded === EMPTY) return ''
  if (!/^(?:[a-z0-9]|_[0-9a-f]{2}|_u[0-9a-f]{4})+$/.test(encoded)) return undefined
  return encoded.replace(/_(?:u([0-9a-f]{4})|([0-9a-f]{2}))/g, (_, long?: string, short?: string) =>
    String.fromCharCode(Number.parseInt(long ?? short ?? '', 16)),
  )
}
