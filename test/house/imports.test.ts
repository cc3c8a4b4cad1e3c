import { describe, expect, test } from 'vitest'
import { importsOf } from './imports.ts'

const forms: [form: string, source: string][] = [
  ['a plain import', `import { a } from './x.ts'`],
  ['a type import', `import type { A } from './x.ts'`],
  ['an inline type import', `import { type A } from './x.ts'`],
  ['a default and a namespace import', `import a, * as b from './x.ts'`],
  ['an import for its effects', `import './x.ts'`],
  ['a re-export', `export { a } from './x.ts'`],
  ['a type re-export', `export type { A } from './x.ts'`],
  ['a re-export of everything', `export * from './x.ts'`],
  ['a re-export of everything under a name', `export * as x from './x.ts'`],
  ['a type re-export of everything', `export type * from './x.ts'`],
  ['a dynamic import', `const a = await import('./x.ts')`],
  ['a type by import()', `type A = import('./x.ts').A`],
  ['a typeof by import()', `let a: typeof import('./x.ts')`],
  ['an import assignment', `import a = require('./x.ts')`],
  ['an import over several lines', `import {\n  a,\n  b,\n} from './x.ts'`],
  ['an import with attributes', `import a from './x.ts' with { type: 'json' }`],
  ["a worker's file", `new Worker(new URL('./x.ts', import.meta.url))`],
  ['two statements on one line', `let y = 1; import { a } from './x.ts'`],
  ['an import() deep inside', `class A { #b = async () => { if (1) { await import('./x.ts') } } }`],
]

describe('every form of an import is found', () => {
  test.each(forms)('%s', (_form, source) => {
    expect(importsOf(source, 'a.ts').map((found) => found.specifier)).toEqual(['./x.ts'])
  })
})

const lookalikes: [what: string, source: string][] = [
  ['a comment', `// import './x.ts'\n/* export * from './x.ts' */`],
  ['a string', `const a = "import b from './x.ts'"`],
  ['a template', 'const a = `import b from "./x.ts"`'],
  ['an export of its own', `const a = 1\nexport { a }\nexport const b = './x.ts'`],
  ['a computed import()', `const name: string = 'redis'\nawait import(name)`],
  ['a URL of something else', `new URL('./x.ts', 'file:///')`],
]

describe('what only looks like an import is not', () => {
  test.each(lookalikes)('%s', (_what, source) => {
    expect(importsOf(source, 'a.ts')).toEqual([])
  })
})

test('an import is reported with its line', () => {
  expect(importsOf(`\n\nimport type {\n  A,\n} from './x.ts'`, 'a.ts')).toEqual([
    { specifier: './x.ts', line: 5 },
  ])
})

test('a file that does not parse is an error, not a file without imports', () => {
  expect(() => importsOf('import {', 'broken.ts')).toThrow(/broken\.ts/)
})
