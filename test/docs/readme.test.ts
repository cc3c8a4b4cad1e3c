/**
 * Runs what the documentation shows, on the built package: README's blocks fenced as ```ts run, and each program
 * of examples/. They are compiled with the project's strictness, run in an empty folder each, and have to end by
 * themselves with exit code 0.
 */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, inject, test } from 'vitest'
import { builtPackage } from './built-package.ts'
import { runnableBlocks } from './code-blocks.ts'
import '../servers/redis-url.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
// Inside the package, so that 'stackquery' is found as a user finds it: by name, through `exports`.
const WORK = join(ROOT, '.cache/docs')
const PROGRAM_TIMEOUT = 60_000
/** On a machine that is busy for longer than `storageTimeout` a program takes what L2 holds for a miss, and counts one call more. */
const RETRIES = 2

const blocks = runnableBlocks(readFileSync(join(ROOT, 'README.md'), 'utf8'))
const examples = existsSync(join(ROOT, 'examples'))
  ? readdirSync(join(ROOT, 'examples')).filter((name) => name.endsWith('.ts'))
  : []

interface Outcome {
  readonly code: number | string
  readonly output: string
}

function run(args: readonly string[], cwd: string, timeout: number): Promise<Outcome> {
  const redis = inject('redis')
  const env = { ...process.env, ...('url' in redis ? { REDIS_URL: redis.url } : {}) }
  return new Promise((resolve) => {
    execFile(process.execPath, [...args], { cwd, env, timeout }, (error, stdout, stderr) => {
      resolve({ code: error ? (error.signal ?? error.code ?? 'unknown') : 0, output: `${stdout}${stderr}` })
    })
  })
}

async function runInEmptyFolder(program: string): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'stackquery-docs-'))
  try {
    return await run([join(WORK, 'out', program)], folder, PROGRAM_TIMEOUT)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

beforeAll(async () => {
  builtPackage()
  rmSync(WORK, { recursive: true, force: true })
  mkdirSync(WORK, { recursive: true })
  for (const [index, { code }] of blocks.entries()) writeFileSync(join(WORK, `readme-${index + 1}.ts`), code)
  const config = {
    extends: '../../tsconfig.json',
    compilerOptions: {
      noEmit: false,
      rootDir: '../..',
      outDir: 'out',
      noUnusedLocals: false,
      noUnusedParameters: false,
    },
    files: [
      ...blocks.map((_, index) => `readme-${index + 1}.ts`),
      ...examples.map((name) => `../../examples/${name}`),
    ],
    include: [],
  }
  writeFileSync(join(WORK, 'tsconfig.json'), JSON.stringify(config))
  const compiled = await run(
    [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', WORK],
    ROOT,
    PROGRAM_TIMEOUT,
  )
  expect(compiled).toEqual({ code: 0, output: '' })
})

test('README has an example that can be run', () => {
  expect(blocks.length).toBeGreaterThan(0)
})

test.each(blocks.map(({ line }, index) => [line, index + 1]))(
  "README's example at line %i runs to its end",
  { timeout: 2 * PROGRAM_TIMEOUT, retry: RETRIES },
  async (_line, number) => {
    const outcome = await runInEmptyFolder(`.cache/docs/readme-${number}.js`)
    expect(outcome, outcome.output).toMatchObject({ code: 0 })
  },
)

test.each(examples)(
  'examples/%s runs to its end',
  { timeout: 2 * PROGRAM_TIMEOUT, retry: RETRIES },
  async (name) => {
    const outcome = await runInEmptyFolder(`examples/${name.replace(/\.ts$/, '.js')}`)
    expect(outcome, outcome.output).toMatchObject({ code: 0 })
  },
)

test('only blocks fenced as ts run are taken, whole and with their line', () => {
  const page = [
    '# A',
    '```ts',
    'no()',
    '```',
    '```ts run',
    'a()',
    '',
    'b()',
    '```',
    '```tsx run',
    'no()',
    '```',
  ].join('\n')
  expect(runnableBlocks(page)).toEqual([{ code: 'a()\n\nb()\n', line: 6 }])
})
