import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeText, encodeText } from './text.ts'

/** Any sequence of code units, lone surrogates and NUL included. */
const anyString = fc
  .array(fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.constantFrom(0, 0xd800, 0xdc00, 0xfeff)))
  .map((units) => String.fromCharCode(...units))

test('any string comes back as it was', () => {
  fc.assert(fc.property(anyString, (text) => decodeText(encodeText(text)) === text))
})

test('a string is TEXT unless TEXT cannot carry it', () => {
  for (const text of ['', 'plain', '😀', '\ufeff', 'é']) expect(encodeText(text)).toBe(text)
  for (const text of ['\0', 'a\0b', '\ud800', '\udc00x']) expect(encodeText(text)).toBeInstanceOf(Uint8Array)
})
