/** Keys: any string is a key of its own, and `keys` takes its prefix literally. May import the suite's own modules. */

import { equal, isMissing, sameSet } from './assert.ts'
import type { SuiteTest } from './suite-context.ts'

const UNSAFE = [
  ...['a', 'A', 'a ', ' a', 'a:', ':a', 'a:b', 'a::b', 'a:b:', 'a/b', '/a', 'a//b', 'a\\b', 'a/', '\\a'],
  ...[
    '.',
    '..',
    '../a',
    '../../etc/passwd',
    'a/../b',
    'a:..:b',
    '.a',
    'a.',
    './a',
    'C:\\a',
    'con',
    'nul.txt',
  ],
  ...[
    '*',
    'a*',
    '?',
    'a?b',
    '[a]',
    '[^a]',
    '%',
    '%41',
    'a%',
    '_',
    '__',
    '{a}',
    '{a}b',
    '~',
    '^',
    '$',
    'a$',
    '$a',
  ],
  ...[
    "'",
    '"',
    '`',
    ';',
    '--',
    '#',
    '&',
    '=',
    '+',
    'a+b',
    'a b',
    'a%20b',
    '|',
    '<',
    '>',
    '@',
    '!',
    ',',
    '(',
    ')',
  ],
  ...[
    '\t',
    '\n',
    'a\nb',
    'a\r\nb',
    'é',
    'e\u0301',
    'É',
    'ß',
    'ss',
    'İ',
    'i',
    '漢字',
    '🦊',
    '🦊🦊',
    '\u200b',
    '\u{10ffff}',
  ],
  ...[
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'hasOwnProperty',
    'null',
    'undefined',
    '0',
    '-1',
    '1e3',
  ],
  ...['{"a":1}', '["user",{"id":1}]', 'sq:e:["user",1]', 'keyv:a', 'keyv::a', 'file://a', 'http://a/?b#c'],
]

const LONG = [
  'k'.repeat(512),
  `${'k'.repeat(511)}l`,
  `${'k'.repeat(255)}:${'k'.repeat(256)}`,
  'k'.repeat(200),
  'ü'.repeat(200),
]

const GLOBS = [
  'a*b',
  'axb',
  'a%b',
  'a_b',
  'a?b',
  'a[b]c',
  'abc',
  'A*b',
  'a\\*b',
  'a',
  "a'b",
  'a:b',
  'a::b',
  'b',
  '漢:字',
  '漢字',
]

async function list(keys: AsyncIterable<string>): Promise<string[]> {
  const listed: string[] = []
  for await (const key of keys) listed.push(key)
  return listed
}

async function keepsApart(
  storage: Parameters<SuiteTest['run']>[0]['storage'],
  keys: readonly string[],
): Promise<void> {
  for (const [index, key] of keys.entries()) await storage.set(key, `value ${index}`)
  for (const [index, key] of keys.entries()) {
    equal(await storage.get(key), `value ${index}`, `get of key ${JSON.stringify(key)}`)
  }
  for (const [index, key] of keys.entries()) {
    await storage.delete(key)
    isMissing(await storage.get(key), `get of the deleted key ${JSON.stringify(key)}`)
    const next = keys[index + 1]
    if (next !== undefined)
      equal(await storage.get(next), `value ${index + 1}`, `get of key ${JSON.stringify(next)}`)
  }
}

export const keyTests: readonly SuiteTest[] = [
  { name: 'key: any characters make a key of its own', run: ({ storage }) => keepsApart(storage, UNSAFE) },
  { name: 'key: up to 512 characters', run: ({ storage }) => keepsApart(storage, LONG) },
  {
    name: 'key: names of Object.prototype are missing until they are set',
    run: async ({ storage }) => {
      for (const key of ['__proto__', 'constructor', 'toString', 'valueOf'])
        isMissing(await storage.get(key), key)
    },
  },
  {
    name: 'keys: the prefix is taken literally',
    needs: ['keys'],
    run: async ({ storage }) => {
      for (const key of GLOBS) await storage.set(key, 'x')
      for (const prefix of [
        'a*',
        'a%',
        'a_',
        'a?',
        'a[',
        'a[b]c',
        'a\\',
        "a'",
        'a',
        'a:',
        'A',
        '漢',
        '漢:',
        '*',
        '%',
        '?',
        '[a-z]',
      ]) {
        const expected = GLOBS.filter((key) => key.startsWith(prefix))
        sameSet(await list(storage.keys(prefix)), expected, `keys(${JSON.stringify(prefix)})`)
      }
      const all = new Set(await list(storage.keys('')))
      sameSet(
        GLOBS.filter((key) => all.has(key)),
        GLOBS,
        "keys('')",
      )
    },
  },
  {
    name: 'keys: lists all of many, none of the deleted, and unsafe ones as they are',
    needs: ['keys'],
    run: async ({ storage }) => {
      const many = Array.from({ length: 300 }, (_, index) => `many:${index}`)
      const unsafe = [...UNSAFE, ...LONG].map((key) => `unsafe:${key}`)
      await Promise.all([...many, ...unsafe].map(async (key) => storage.set(key, 'x')))
      await storage.delete('many:7')
      sameSet(
        await list(storage.keys('many:')),
        many.filter((key) => key !== 'many:7'),
        "keys('many:')",
      )
      sameSet(await list(storage.keys('unsafe:')), unsafe, "keys('unsafe:')")
      sameSet(await list(storage.keys('none:')), [], "keys('none:')")
    },
  },
  {
    name: 'keys: may be left half-way, and keys may come and go meanwhile',
    needs: ['keys'],
    run: async ({ storage }) => {
      for (let index = 0; index < 20; index += 1) await storage.set(`leave:${index}`, 'x')
      let seen = 0
      for await (const key of storage.keys('leave:')) {
        await storage.delete(key)
        await storage.set(`leave:new:${seen}`, 'x')
        seen += 1
        if (seen === 5) break
      }
      equal(seen, 5, 'keys before leaving')
      const left = await list(storage.keys('leave:'))
      equal(new Set(left).size, 20, 'keys afterwards')
    },
  },
]
