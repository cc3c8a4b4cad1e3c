import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { expectedExports, exportProblems } from '../../scripts/exports-map.mjs'
import { builtPackage } from '../docs/built-package.ts'
import { ROOT } from './source-tree.ts'

const entry = (path: string) => ({ types: `./dist/${path}.d.ts`, default: `./dist/${path}.js` })
const everythingExists = (_path: string) => true

test('what package.json exports is what the sources offer, and the build has made it', () => {
  const root = builtPackage()
  const sources = readdirSync(`${ROOT}src`, { recursive: true }).map((path) => `src/${path}`)
  const { exports } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))
  expect(exportProblems(exports, sources, (path) => existsSync(`${root}${path}`))).toEqual([])
})

test('an entry is a storage with an index, an integration, testing, devtools or the root', () => {
  const sources = [
    'src/index.ts',
    'src/client/index.ts',
    'src/storages/redis/index.ts',
    'src/storages/redis/connection.ts',
    'src/storages/unfinished/table.ts',
    'src/integrations/fastify.ts',
    'src/integrations/fastify.test.ts',
    'src/integrations/react/index.tsx',
    'src/integrations/react/hooks.tsx',
    'src/testing/index.ts',
    'src/cli/index.ts',
  ]
  expect(expectedExports(sources)).toEqual({
    '.': entry('index'),
    './fastify': entry('integrations/fastify'),
    './react': entry('integrations/react/index'),
    './redis': entry('storages/redis/index'),
    './testing': entry('testing/index'),
    './package.json': './package.json',
  })
})

test('a storage without an exports line, a line without a source, a wrong line and a missing file are named', () => {
  const right = { '.': entry('index'), './package.json': './package.json' }
  const problems = (exports: object, sources: string[], exists = everythingExists) =>
    exportProblems(exports as Record<string, unknown>, ['src/index.ts', ...sources], exists)

  expect(problems(right, [])).toEqual([])
  expect(problems(right, ['src/storages/redis/index.ts'])).toEqual([
    expect.stringContaining('lacks "./redis"'),
  ])
  expect(problems({ ...right, './redis': entry('x') }, [])).toEqual([expect.stringContaining('has ./redis')])
  expect(problems({ ...right, '.': entry('main') }, [])).toEqual([expect.stringContaining('should say "."')])
  expect(
    problems({ ...right, '.': { default: './dist/index.js', types: './dist/index.d.ts' } }, []),
  ).toHaveLength(1)
  expect(problems(right, [], (path) => !path.endsWith('.d.ts'))).toEqual([
    expect.stringContaining('./dist/index.d.ts'),
  ])
})
