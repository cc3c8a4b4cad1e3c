/** What a broken, foreign or hostile store may answer in place of a value. Imports nothing. */

/**
 * - `truncated`: the beginning of the true value;
 * - `text`: random characters, control characters and lone surrogates among them;
 * - `wrong-type`: no string, such as a number, an object or bytes;
 * - `foreign-json`: well-formed JSON of somebody else's making;
 * - `oversized`: the true value followed by 8 MB more;
 * - `prototype`: JSON whose keys are `__proto__`, `constructor` and `prototype`;
 * - `wrong-length`: a batch with too few or too many values; for a single value, one of the kinds above.
 */
export type Garbage = (typeof GARBAGE_KINDS)[number]

export const GARBAGE_KINDS = [
  'truncated',
  'text',
  'wrong-type',
  'foreign-json',
  'oversized',
  'prototype',
  'wrong-length',
] as const

const OVERSIZE = 8_000_000

const WRONG_TYPES: readonly unknown[] = [
  42,
  Number.NaN,
  true,
  {},
  [],
  ['a'],
  new Uint8Array([1, 2]),
  () => 'a',
  1n,
]

const FOREIGN_JSON = [
  'null',
  '0',
  '""',
  '[]',
  '{}',
  '[[[[]]]]',
  '{"v":1,"data":{},"t":"soon"}',
  '{"value":1}',
]

const POLLUTING = [
  '{"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  '{"v":1,"data":{"__proto__":{"polluted":true}},"__proto__":{"isStale":false}}',
  '[{"prototype":{"polluted":true}}]',
]

/** Garbage in place of one `value`. */
export function garble(value: unknown, kind: Garbage, random: () => number): unknown {
  const pick = <T>(choices: readonly T[]): T => choices[Math.floor(random() * choices.length)] as T
  const text = typeof value === 'string' ? value : ''
  switch (kind) {
    case 'truncated':
      return text.slice(0, Math.floor(random() * text.length))
    case 'text':
      return String.fromCharCode(...Array.from({ length: 64 }, () => Math.floor(random() * 65_536)))
    case 'wrong-type':
      return pick(WRONG_TYPES)
    case 'foreign-json':
      return pick(FOREIGN_JSON)
    case 'oversized':
      return text + 'x'.repeat(OVERSIZE)
    case 'prototype':
      return pick(POLLUTING)
    case 'wrong-length':
      return garble(value, pick(GARBAGE_KINDS.slice(0, -1)), random)
  }
}

/** Garbage in place of a batch. A batch of the wrong type is, half of the time, no batch at all. */
export function garbleMany(values: readonly unknown[], kind: Garbage, random: () => number): unknown {
  if (kind === 'wrong-length') return random() < 0.5 ? values.slice(1) : [...values, ...values, null]
  if (kind === 'wrong-type' && random() < 0.5) return garble(null, kind, random)
  return values.map((value) => garble(value, kind, random))
}
