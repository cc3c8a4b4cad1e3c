/** Values: every string comes back as it was, or not at all. May import the suite's own modules. */

import { equal, isMissing } from './assert.ts'
import type { SuiteContext, SuiteTest } from './suite-context.ts'

const MEGABYTE = 1_000_000

async function keepsAll(context: SuiteContext, values: readonly string[]): Promise<void> {
  for (const [index, value] of values.entries()) {
    await context.storage.set(`value:${index}`, value)
    equal(await context.storage.get(`value:${index}`), value, `value ${index}, read at once`)
  }
  for (const [index, value] of values.entries()) {
    equal(await context.storage.get(`value:${index}`), value, `value ${index}, read at the end`)
  }
}

async function keepsLong(context: SuiteContext, length: number): Promise<void> {
  const unit = 'Ünïcödé 漢字 🦊 "\\\n0123456789 abcdefghijklmnopqrstuvwxyz '
  const value = unit.repeat(Math.ceil(length / unit.length)).slice(0, length - 1)
  await keepsAll(context, [`${value}.`, 'short again'])
}

export const valueTests: readonly SuiteTest[] = [
  {
    name: 'value: one that was never set is null or undefined',
    run: async ({ storage }) => isMissing(await storage.get('never:set'), 'get'),
  },
  {
    name: 'value: the empty string is a value, not a miss',
    run: (context) => keepsAll(context, ['']),
  },
  {
    name: 'value: short ones, white space and line ends stay as they are',
    run: (context) =>
      keepsAll(context, ['a', '0', ' ', '\t', '\n', '\r\n', 'a\rb\nc\r\n', ' a ', '\v\f', '\u2028\u2029']),
  },
  {
    name: 'value: all scalar code points',
    run: (context) => {
      const latin = String.fromCharCode(...Array.from({ length: 255 }, (_, n) => n + 1))
      return keepsAll(context, [
        latin,
        '漢字',
        '\u{10ffff}\u{1f98a}',
        'e\u0301 \u00e9',
        '\u202eright to left',
        '\ufffe\uffff',
      ])
    },
  },
  {
    name: 'value: NUL characters and byte order marks',
    run: (context) => keepsAll(context, ['\0', 'a\0b', 'a\0', '\ufeff', '\ufeff{"a":1}', 'a\ufeff']),
  },
  {
    name: 'value: lone surrogates',
    run: (context) => keepsAll(context, ['\ud83e', '\udd8a', 'a\ud83eb', '\udd8a\ud83e', '🦊\ud83e']),
  },
  {
    name: 'value: strings that look like something else',
    run: (context) =>
      keepsAll(context, [
        ...['null', 'undefined', 'true', 'NaN', '-0', '1e3', '00012', '12345678901234567890', '0x10'],
        ...['{}', '[1]', '{"a":1}', '"quoted"', '"', "'", '\\', '\\u0041', '%41', '&amp;', '[object Object]'],
        ...[
          '{"__proto__":{"polluted":true}}',
          '{"value":1,"expires":1}',
          'base64:AAAA',
          ':base64:AAAA',
          ':bigint:1',
        ],
        ...[
          "'; DROP TABLE cache; --",
          '$1 ? :a @b',
          '*3\r\n$3\r\nSET\r\n',
          '<script>',
          '2024-01-01T00:00:00Z',
        ],
      ]),
  },
  { name: 'value: 1 MB', run: (context) => keepsLong(context, MEGABYTE) },
  { name: 'value: 16 MB', isLarge: true, run: (context) => keepsLong(context, 16 * MEGABYTE) },
  {
    name: 'value: an overwrite replaces all of it, whatever the sizes',
    run: async ({ storage }) => {
      for (const value of ['short', 'x'.repeat(100_000), '', 'y', 'z'.repeat(5_000), '']) {
        await storage.set('over', value)
        equal(await storage.get('over'), value, 'get')
      }
    },
  },
  {
    name: 'value: a deleted one is gone, and deleting what is not there is no error',
    run: async ({ storage }) => {
      await storage.set('a', '1')
      await storage.set('b', '2')
      await storage.delete('a')
      isMissing(await storage.get('a'), 'get of the deleted')
      equal(await storage.get('b'), '2', 'get of the other')
      await storage.delete('a')
      await storage.delete('never:set')
      await storage.set('a', '3')
      equal(await storage.get('a'), '3', 'get after a new set')
    },
  },
  {
    name: 'value: another handle sees it, and its deletion',
    needs: ['reopen'],
    run: async (context) => {
      const { storage } = context
      await storage.set('a', '1')
      await storage.set('expiring', '1', 3_600_000)
      const other = await context.reopen()
      equal(await other.get('a'), '1', 'get by the other')
      equal(await other.get('expiring'), '1', 'get of one with a ttl by the other')
      await other.set('a', '2')
      equal(await storage.get('a'), '2', 'get of what the other wrote')
      await other.delete('a')
      isMissing(await storage.get('a'), 'get of what the other deleted')
    },
  },
]
