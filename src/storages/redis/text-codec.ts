/**
 * Any JavaScript string to well-formed text and back, so that nothing changes on its way through UTF-8.
 *
 * Only lone surrogates cannot travel: UTF-8 has no form for them and clients put U+FFFD in their place, so two
 * keys could become one and a value another. Each is written as the mark U+FFFE (a noncharacter) and four hex
 * digits, and the mark itself likewise. All other text is stored as it is. Imports nothing.
 */

const MARK = '\ufffe'
// With the u flag a surrogate pair is one code point, so this finds lone ones only.
const UNSAFE = /[\p{Surrogate}\ufffe]/gu
const ESCAPED = /\ufffe([0-9a-f]{4})/g

/** ES2024, in every runtime that we support but not in the library that we compile against. */
interface WellFormedText {
  isWellFormed(): boolean
}

export function encodeText(text: string): string {
  if ((text as unknown as WellFormedText).isWellFormed() && !text.includes(MARK)) return text
  return text.replace(UNSAFE, (unit) => MARK + unit.charCodeAt(0).toString(16).padStart(4, '0'))
}

export function decodeText(text: string): string {
  if (!isCoded(text)) return text
  return text.replace(ESCAPED, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

export function decodeTexts(texts: readonly (string | null)[]): (string | null)[] {
  return texts.some(isCoded) ? texts.map((text) => text && decodeText(text)) : texts.slice()
}

function isCoded(text: string | null): boolean {
  return text?.includes(MARK) === true
}
