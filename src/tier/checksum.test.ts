import { expect, test } from 'vitest'
import { crc32, crc32OfName, portableCrc32 } from './checksum.ts'

test('the sum is that of the standard, native and portable', () => {
  // The check value of CRC-32/ISO-HDLC.
  for (const sum of [crc32, portableCrc32]) expect(sum('123456789', 0)).toBe(0xcbf43926)
})

test('native and portable sums agree on any text, also when summed up in parts', () => {
  const texts = [
    '',
    'a',
    'é',
    '€',
    '😀',
    '\ud800',
    '\udc00x',
    '\u0000',
    'x'.repeat(10_000),
    '日本語'.repeat(99),
  ]
  for (const text of texts) {
    expect(portableCrc32(text, 0)).toBe(crc32(text, 0))
    expect(portableCrc32(text, portableCrc32('before', 0))).toBe(crc32(`before${text}`, 0))
  }
})

test('the sum of a name is that of its text, of any length', () => {
  for (let length = 0; length < 200; length++) {
    const name = 'app:d:["user",7]~!#'.repeat(11).slice(0, length)
    expect(crc32OfName(name)).toBe(crc32(name, 0))
  }
})
