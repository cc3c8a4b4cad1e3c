/** Ways to damage an envelope's text, each by a random generator of the caller's. */

import type { seededRandom } from '../../src/testing/index.ts'

export type Random = ReturnType<typeof seededRandom>

const NASTY_JSON = [
  'null',
  'true',
  '-1',
  '1e999',
  '-1e999',
  '1e-400',
  '123456789012345678901234567890',
  '0.1',
  '""',
  '"__proto__"',
  '[]',
  '{}',
  '[[]]',
  '{"__proto__":{"polluted":true}}',
  '{"\\u005f\\u005fproto\\u005f_":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  '{"toString":1,"valueOf":2}',
  '{"length":1e9}',
  '[[[{"a":{"__proto__":[]}}]]]',
  '"\\ud800"',
  '01',
  'NaN',
  'undefined',
  '',
]
const NAMES = ['v', 'c', 't', 'e', 'h', 's', 'z', 'k', 'd', '__proto__', 'constructor', 'toString']
const BITS = ['{', '}', '[', ']', '"', ',', ':', '\\', '\u0000', '\ud800', '\ufffd', '0', 'e', '"d":1,']
const DEPTH = 100_000

const whole = (random: Random, below: number): number => Math.floor(random() * below)
const pick = <T>(random: Random, from: readonly T[]): T => from[whole(random, from.length)] as T
/** What is between `"name":` and the next field; enough of a parser to hit fields on purpose. */
const fieldOf = (name: string): RegExp => new RegExp(`"${name}":("(?:[^"\\\\]|\\\\.)*"|[^,}]*)`)

type Mutation = (text: string, random: Random, another: string) => string

const replaceField: Mutation = (text, random) => {
  const name = pick(random, NAMES)
  return text.replace(fieldOf(name), () => `"${name}":${pick(random, NASTY_JSON)}`)
}

export const MUTATIONS: Readonly<Record<string, Mutation>> = {
  flip: (text, random) => {
    const at = whole(random, text.length)
    return (
      text.slice(0, at) +
      String.fromCharCode(text.charCodeAt(at) ^ (1 << whole(random, 16))) +
      text.slice(at + 1)
    )
  },
  flipLow: (text, random) => {
    const at = whole(random, text.length)
    return (
      text.slice(0, at) +
      String.fromCharCode(text.charCodeAt(at) ^ (1 << whole(random, 6))) +
      text.slice(at + 1)
    )
  },
  truncate: (text, random) => text.slice(0, whole(random, text.length)),
  cut: (text, random) => {
    const from = whole(random, text.length)
    return text.slice(0, from) + text.slice(from + 1 + whole(random, 20))
  },
  insert: (text, random) => {
    const at = whole(random, text.length)
    return text.slice(0, at) + pick(random, BITS) + text.slice(at)
  },
  repeat: (text, random) => {
    const from = whole(random, text.length)
    const part = text.slice(from, from + 1 + whole(random, 40))
    return text.slice(0, from) + part + text.slice(from)
  },
  splice: (text, random, another) => {
    const at = whole(random, Math.min(text.length, another.length))
    return text.slice(0, at) + another.slice(at)
  },
  spliceField: (text, random, another) => {
    const name = pick(random, NAMES)
    const theirs = fieldOf(name).exec(another)?.[0]
    return theirs === undefined ? text : text.replace(fieldOf(name), () => theirs)
  },
  swapFields: (text, random) => {
    const [one, two] = [pick(random, NAMES), pick(random, NAMES)]
    const [first, second] = [fieldOf(one).exec(text)?.[1], fieldOf(two).exec(text)?.[1]]
    if (first === undefined || second === undefined || one === two) return text
    return text
      .replace(fieldOf(one), () => `"${one}":\u0001`)
      .replace(fieldOf(two), () => `"${two}":${first}`)
      .replace('\u0001', () => second)
  },
  renameField: (text, random) => text.replace(`"${pick(random, NAMES)}":`, () => `"${pick(random, NAMES)}":`),
  replaceField,
  replaceTwo: (text, random, another) => replaceField(replaceField(text, random, another), random, another),
  duplicateField: (text, random) =>
    `${text.slice(0, -1)},"${pick(random, NAMES)}":${pick(random, NASTY_JSON)}}`,
  version: (text, random) =>
    text.replace('"v":1', () => `"v":${pick(random, ['0', '2', '1.0', '-1', '10', ...NASTY_JSON])}`),
  serializer: (text, random) =>
    text.replace('"d":', () => `"z":"${pick(random, ['json', 'devalue', 'custom', ''])}","d":`),
  escapeNames: (text, random) => {
    const name = pick(random, NAMES)
    const code = name.charCodeAt(0).toString(16).padStart(4, '0')
    return text.replace(`"${name}":`, () => `"\\u${code}${name.slice(1)}":`)
  },
  pollute: (text, random) => {
    const depth = 1 + whole(random, 3)
    return text.replace(
      /"d":.*$/s,
      () => `"d":${'{"a":'.repeat(depth)}${pick(random, NASTY_JSON)}${'}'.repeat(depth)}}`,
    )
  },
  reencode: (text) => Buffer.from(text, 'utf8').toString('latin1'),
  upperCase: (text) => text.toUpperCase(),
  foreign: (_text, random) => pick(random, NASTY_JSON),
}
const KINDS = Object.keys(MUTATIONS)

/** They cost a thousand times as much as the others, and so come a thousand times less. */
const HEAVY: readonly Mutation[] = [
  (text, random) =>
    text.replace(
      fieldOf(pick(random, NAMES)),
      (_all, old) => `"d":${'['.repeat(DEPTH)}${old}${']'.repeat(DEPTH)}`,
    ),
  (text) => text.replace('"v":1', () => `"v":${'['.repeat(DEPTH)}1${']'.repeat(DEPTH)}`),
  (text) =>
    text.replace(/"d":.*$/s, () => `"d":${'{"a":'.repeat(DEPTH)}{"__proto__":1}${'}'.repeat(DEPTH)}}`),
  (text, random) => text.replace(/"t":\d+/, () => `"t":${'9'.repeat(whole(random, DEPTH))}`),
]

/** One to three mutations on top of each other; the name says which. */
export function mutated(text: string, another: string, random: Random): { text: string; how: string } {
  if (random() < 0.0005) return { text: pick(random, HEAVY)(text, random, another), how: 'heavy' }
  const names: string[] = []
  let damaged = text
  for (let left = 1 + whole(random, 3); left > 0; left--) {
    const name = pick(random, KINDS)
    names.push(name)
    // Nothing is left to be damaged after a truncation to nothing.
    if (damaged !== '') damaged = (MUTATIONS[name] as Mutation)(damaged, random, another)
  }
  return { text: damaged, how: names.join('+') }
}
