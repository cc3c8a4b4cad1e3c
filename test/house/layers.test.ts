import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { forbidden, layerOf } from './layer-table.ts'
import { findCircles, ROOT, readSources } from './source-tree.ts'

const sources = readSources()
const { peerDependencies = {} } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8'))

test('every file of src belongs to a layer', () => {
  expect(sources.length).toBeGreaterThan(0)
  expect(sources.map((file) => file.path).filter((path) => !layerOf(path))).toEqual([])
})

test('imports point downwards only, type imports included', () => {
  const wrong = sources.flatMap((file) =>
    file.imports.flatMap(({ target, line }) => {
      const reason = target !== undefined && forbidden(file.path, target)
      return reason ? [`src/${file.path}:${line} imports ${target}: ${reason}`] : []
    }),
  )
  expect(wrong).toEqual([])
})

test('no two files of src import each other in a circle, type imports included', () => {
  const graph = new Map(
    sources.map((file) => [file.path, file.imports.flatMap(({ target }) => target ?? [])]),
  )
  expect(findCircles(graph).map((circle) => circle.join(' -> '))).toEqual([])
})

test('a package is imported only if it is part of Node or a declared peer', () => {
  const wrong = sources.flatMap((file) =>
    file.imports.flatMap(({ specifier, target, line }) => {
      const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
      const isAllowed = target !== undefined || specifier.startsWith('node:') || name in peerDependencies
      return isAllowed ? [] : [`src/${file.path}:${line} imports ${specifier}`]
    }),
  )
  expect(wrong).toEqual([])
})

const allowed: [from: string, to: string][] = [
  ['index.ts', 'client/query-client.ts'],
  ['client/query-client.ts', 'errors.ts'],
  ['client/query-client.ts', 'client/parallel-queries.ts'],
  ['mutation/mutation.ts', 'fetching/retry.ts'],
  ['fetching/fetcher.ts', 'tier/storage-guard.ts'],
  ['query/query.ts', 'keys/hash-key.ts'],
  ['storages/redis/index.ts', 'storages/redis/connection.ts'],
  ['storages/redis/index.ts', 'resilience/backoff.ts'],
  ['integrations/fastify.ts', 'index.ts'],
  ['testing/index.ts', 'storages/memory/index.ts'],
]
test.each(allowed)('%s may import %s', (from, to) => {
  expect(forbidden(from, to)).toBeUndefined()
})

const refused: [from: string, to: string][] = [
  ['errors.ts', 'ports/storage.ts'],
  ['query/query.ts', 'client/query-client.ts'],
  ['keys/hash-key.ts', 'resilience/backoff.ts'],
  ['resilience/backoff.ts', 'keys/hash-key.ts'],
  ['client/query-client.ts', 'index.ts'],
  ['client/query-client.ts', 'storages/memory/index.ts'],
  ['index.ts', 'storages/sqlite/index.ts'],
  ['storages/redis/index.ts', 'storages/sqlite/index.ts'],
  ['storages/redis/index.ts', 'tier/envelope.ts'],
  ['storages/redis/index.ts', 'index.ts'],
  ['integrations/fastify.ts', 'client/query-client.ts'],
  ['integrations/fastify.ts', 'integrations/hono.ts'],
  ['testing/index.ts', 'index.ts'],
  ['query/query.ts', 'elsewhere/thing.ts'],
  ['query/query.ts', '../test/servers/redis-server.ts'],
]
test.each(refused)('%s may not import %s', (from, to) => {
  expect(forbidden(from, to)).toEqual(expect.any(String))
})

test('a circle is found however long it is, and a shared dependency is none', () => {
  const graph = { a: ['b', 'd'], b: ['c'], c: ['a', 'd'], d: [], e: ['e'] }
  expect(findCircles(new Map(Object.entries(graph)))).toEqual([
    ['a', 'b', 'c', 'a'],
    ['e', 'e'],
  ])
})
