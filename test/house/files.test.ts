import { expect, test } from 'vitest'
import { readSources, type SourceFile } from './source-tree.ts'

const LONGEST = 250
const HOMELESS = new Set(['utils', 'util', 'helpers', 'helper', 'common', 'shared', 'misc', 'types'])

const isTooLong = ({ text }: Pick<SourceFile, 'text'>): boolean => {
  const header = /^\s*\/\*\*?[\s\S]*?\*\//.exec(text)?.[0] ?? ''
  return text.trimEnd().split('\n').length > LONGEST && !/Long because: \w/.test(header)
}
const badNames = (path: string): string[] =>
  path
    .split('/')
    .map((part) => part.replace(/(\.test)?\.tsx?$/, ''))
    .filter((part) => HOMELESS.has(part) || !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(part))

const sources = readSources()

test(`no file of src has more than ${LONGEST} lines without "Long because: ..." in its header`, () => {
  expect(sources.filter(isTooLong).map((file) => file.path)).toEqual([])
})

test('files of src are named in kebab-case after what they hold, none is a catch-all', () => {
  expect(sources.map((file) => file.path).filter((path) => badNames(path).length > 0)).toEqual([])
})

test('only a reason in the header excuses a long file', () => {
  const lines = 'x\n'.repeat(LONGEST)
  expect(isTooLong({ text: lines })).toBe(false)
  expect(isTooLong({ text: `${lines}x` })).toBe(true)
  expect(isTooLong({ text: `/** One table.\n * Long because: one row per command. */\n${lines}` })).toBe(
    false,
  )
  expect(isTooLong({ text: `/** Long because: */\n${lines}` })).toBe(true)
  expect(isTooLong({ text: `${lines}/* Long because: too late here */` })).toBe(true)
})

test.each([
  'query/utils.ts',
  'types.ts',
  'common/a.ts',
  'query/queryState.ts',
  'Query/a.ts',
  'query/query_state.ts',
])('%s is refused', (path) => {
  expect(badNames(path)).not.toEqual([])
})
