/**
 * Strings that SQLite's TEXT cannot carry, and how they travel instead.
 *
 * TEXT is UTF-8: a lone surrogate has no form in it, and drivers cut a text at NUL. Such a string is stored
 * as a BLOB of its UTF-16 code units; every other string as TEXT. A string has one form only, so equality of
 * strings is equality of columns. May import nothing.
 */

/** Part of ECMAScript 2024, in every runtime that this library supports. */
type Es2024String = string & { isWellFormed(): boolean }

export function encodeText(text: string): string | Uint8Array {
  if ((text as Es2024String).isWellFormed() && !text.includes('\0')) return text
  return utf16Bytes(text)
}

export function decodeText(column: unknown): string {
  if (typeof column === 'string') return column
  const bytes = column as Uint8Array
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf16le')
}

export function utf16Bytes(text: string): Uint8Array {
  return Buffer.from(text, 'utf16le')
}
