/**
 * Envelopes damaged at random. What must hold, whatever the text:
 *
 * - decoding never throws, and no prototype has changed at the end;
 * - *damage* (nobody has made the checksum fit): a miss, or exactly the envelope that was written, every field of it;
 * - *forgery* (the checksum was made to fit): a miss, or what a plain reading of the JSON gives, every field of the type
 *   that it must have, the serializer ours, and no `__proto__` in it. More cannot be known of a text that says
 *   of itself to be whole; which data is allowed in it is for `validate` to say.
 *
 * `npm run test:fuzz -- --runs 1000000 --seed 7` for more of it.
 */
import { expect, test } from 'vitest'
import type { Serializer } from '../../src/ports/serializer.ts'
import { seededRandom } from '../../src/testing/index.ts'
import { crc32 } from '../../src/tier/checksum.ts'
import { decodeEnvelope, decodeExpected, type Envelope, encodeEnvelope } from '../../src/tier/envelope.ts'
import { jsonSerializer } from '../../src/tier/json-serializer.ts'
import { writtenTokens } from '../../src/tier/usual-envelope.ts'
import { mutated } from './mutations.ts'

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 40_000)
const SEED = Number(process.env['FUZZ_SEED'] ?? 1)
const SUM_END = '{"v":1,"c":"'.length + 8

const reversing: Serializer = {
  name: 'reversing',
  stringify: (value) => [...JSON.stringify(value)].reverse().join(''),
  parse: (text) => JSON.parse([...text].reverse().join('')),
}
const DATA: unknown[] = [
  null,
  0,
  '',
  'é€😀\ud800',
  [],
  [1, 2, 3],
  { id: 1, name: 'Ada', isAdmin: false, tags: ['a', 'b'], address: { zip: '01234', at: 1.5 } },
  { constructor: 1, text: '__proto__', nested: [[[{ a: [null, true] }]]] },
  Array.from({ length: 20 }, (_, id) => ({ id, price: id / 7, note: `n${id}` })),
]
interface Sample {
  readonly text: string
  readonly storageKey: string
  readonly envelope: Envelope
  readonly serializer: Serializer
}
const SAMPLES: Sample[] = DATA.flatMap((data, i) =>
  [jsonSerializer, reversing].map((serializer) => {
    const storageKey = `sq:d:["k",${i}]`
    const envelope: Envelope = {
      data,
      dataUpdatedAt: 1_700_000_000_000 + i,
      expiresAt: i % 3 === 0 ? null : 1_700_000_300_000,
      hard: 'abcdefgh'.repeat(1 + (i % 3)),
      soft: 'ABCDEFGH'.repeat(1 + (i % 3)),
      key: i % 4 === 0 ? `["${'long'.repeat(50)}"]` : null,
    }
    const text = encodeEnvelope(envelope, serializer, storageKey)
    return { text, storageKey, envelope, serializer }
  }),
)

const PROTOTYPES = [Object, Array, String, Number, Boolean, Function, Map, Set, Promise, RegExp, Error].map(
  ({ prototype }) => prototype as object,
)
/** Every property of every prototype, by name. */
const snapshot = () =>
  new Map(
    PROTOTYPES.flatMap((prototype) =>
      Reflect.ownKeys(prototype).map((name) => {
        const { value, get } = Object.getOwnPropertyDescriptor(prototype, name) as PropertyDescriptor
        return [`${prototype.constructor.name}.${String(name)}`, value ?? get]
      }),
    ),
  )

const kindOf = (reason: string) => reason.replace(/(version|serializer).*/, '$1').replace(/\d+/, 'N')

function resigned(text: string, storageKey: string): string {
  const rest = text.slice(SUM_END)
  return `{"v":1,"c":"${crc32(rest, crc32(storageKey, 0)).toString(16).padStart(8, '0')}${rest}`
}

/** A plain reading of a text, written apart from the decoder. */
function reading(text: string, serializer: Serializer): Envelope | null {
  const all = JSON.parse(text)
  const isNumber = (value: unknown) => typeof value === 'number' && Number.isFinite(value)
  const isString = (value: unknown) => typeof value === 'string'
  if (all.v !== 1 || !isNumber(all.t) || all.t < 0 || !(all.e === null || isNumber(all.e))) return null
  if (!isString(all.h) || !isString(all.s) || !('d' in all)) return null
  if ('k' in all && !isString(all.k)) return null
  if (all.z !== (serializer === jsonSerializer ? undefined : serializer.name)) return null
  const data = serializer === jsonSerializer ? all.d : serializer.parse(all.d)
  return { data, dataUpdatedAt: all.t, expiresAt: all.e, hard: all.h, soft: all.s, key: all.k ?? null }
}

test(`${RUNS} damaged envelopes, each also with its checksum made to fit (seed ${SEED})`, {
  timeout: 60_000 + RUNS,
}, () => {
  const random = seededRandom(SEED)
  const before = snapshot()
  const seen = { misses: 0, right: 0, expected: 0, forgeries: 0, forged: 0 }
  const reasons = new Set<string>()
  for (let run = 0; run < RUNS; run++) {
    const sample = SAMPLES[Math.floor(random() * SAMPLES.length)] as Sample
    const another = SAMPLES[Math.floor(random() * SAMPLES.length)] as Sample
    const { storageKey, serializer } = sample
    const { text, how } = mutated(sample.text, another.text, random)
    const context = () => `seed ${SEED}, run ${run}, ${how}: ${text.slice(0, 2_000)}`
    try {
      const decoded = decodeEnvelope(text, serializer, storageKey)
      if ('reason' in decoded) {
        seen.misses++
        reasons.add(kindOf(decoded.reason))
      } else {
        seen.right++
        if (!isSame(decoded.envelope, sample.envelope)) throw new Error('a wrong value')
      }
      const forgery = resigned(text, storageKey)
      if (serializer === jsonSerializer) {
        for (const each of [text, forgery]) {
          const { hard, soft } = sample.envelope
          const short = decodeExpected(each, storageKey, writtenTokens(hard, soft))
          if (short === null) continue
          seen.expected++
          const long = decodeEnvelope(each, serializer, storageKey)
          const { data, dataUpdatedAt, expiresAt } = short
          const found = { data, dataUpdatedAt, expiresAt, hard, soft, key: null }
          if (!('envelope' in long) || !isSame(found, long.envelope))
            throw new Error('the short way and the long one differ')
        }
      }
      const taken = decodeEnvelope(forgery, serializer, storageKey)
      seen.forgeries++
      if ('reason' in taken) {
        reasons.add(kindOf(taken.reason))
      } else {
        seen.forged++
        if (!isSame(taken.envelope, reading(forgery, serializer))) throw new Error('not what the text says')
        if (serializer === jsonSerializer && how !== 'heavy' && holdsProto(taken.envelope.data))
          throw new Error('__proto__ came through')
      }
    } catch (error) {
      throw new Error(`${(error as Error).message}; ${context()}`, { cause: error })
    }
  }
  const after = snapshot()
  expect([...after.keys()]).toEqual([...before.keys()])
  expect([...after].filter(([name, value]) => before.get(name) !== value)).toEqual([])
  expect({}).not.toHaveProperty('polluted')
  console.info(`fuzz: ${JSON.stringify({ runs: RUNS, seed: SEED, ...seen, reasons: [...reasons].sort() })}`)
  // The fuzz is worth something only as long as it gets everywhere.
  expect(seen.misses).toBeGreaterThan(RUNS / 2)
  expect(seen.right).toBeGreaterThan(0)
  expect(seen.forged).toBeGreaterThan(RUNS / 20)
  expect(reasons.size).toBeGreaterThan(12)
})

/** Deep equality without recursion: data may have very many levels. */
function isSame(one: unknown, other: unknown): boolean {
  const pairs: [unknown, unknown][] = [[one, other]]
  for (let pair = pairs.pop(); pair !== undefined; pair = pairs.pop()) {
    const [a, b] = pair as Record<string | symbol, unknown>[]
    if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) {
      if (!Object.is(a, b)) return false
      continue
    }
    const names = Reflect.ownKeys(a)
    if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false
    if (names.length !== Reflect.ownKeys(b).length) return false
    for (const name of names) {
      if (!Object.hasOwn(b, name)) return false
      pairs.push([a[name], b[name]])
    }
  }
  return true
}

function holdsProto(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return Reflect.ownKeys(value).includes('__proto__') || Object.values(value).some(holdsProto)
}
