/**
 * Finds the SQLite driver of this runtime: the built-in one first, then what is installed.
 *
 * Every specifier reaches `import()` through a variable, so that a bundler neither bundles nor demands an
 * optional peer. May import errors and siblings.
 */

import { MissingDriverError } from '../../errors.ts'
import type { SQLiteDriver, SQLiteDriverName } from './driver.ts'

export interface LoadedDriver {
  readonly Driver: SQLiteDriver
  readonly name: SQLiteDriverName
}

export const DRIVER_NAMES: readonly SQLiteDriverName[] = [
  'bun:sqlite',
  'node:sqlite',
  'better-sqlite3',
  '@photostructure/sqlite',
]

/** @throws MissingDriverError (`MISSING_DRIVER`) where none of `names` can be loaded. */
export async function loadDriver(names: readonly SQLiteDriverName[] = DRIVER_NAMES): Promise<LoadedDriver> {
  const reasons: string[] = []
  for (const name of names) {
    try {
      const Driver = pickClass(await importDriver(name))
      // Native drivers look for their binary only when the first connection is opened.
      new Driver(':memory:').close()
      return { Driver, name }
    } catch (cause) {
      reasons.push(`${name}: ${firstLine(cause)}`)
    }
  }
  throw new MissingDriverError(
    'SQLiteStorage needs a SQLite driver. Use Node 22.13 or later, Deno or Bun, which have one built in, or ' +
      'run `npm install better-sqlite3` or `npm install @photostructure/sqlite` (ready-made binaries). ' +
      `Tried ${reasons.join('; ')}`,
  )
}

async function importDriver(name: SQLiteDriverName): Promise<unknown> {
  const runsOnBun = 'bun' in process.versions
  if ((name === 'bun:sqlite') !== runsOnBun && name.includes(':')) throw new Error('not in this runtime')
  if (name === 'node:sqlite') {
    const found = quietly(() => process.getBuiltinModule?.('node:sqlite'))
    if (found !== undefined) return found
  }
  return import(/* webpackIgnore: true */ /* @vite-ignore */ name)
}

/** `node:sqlite` announces that it is experimental to every user of this library; that choice was ours. */
function quietly<T>(load: () => T): T {
  const emitWarning = process.emitWarning
  process.emitWarning = ((warning: string | Error, ...rest: never[]) => {
    if (!/sqlite/i.test(String(warning))) Reflect.apply(emitWarning, process, [warning, ...rest])
  }) as typeof process.emitWarning
  try {
    return load()
  } finally {
    process.emitWarning = emitWarning
  }
}

function pickClass(module: unknown): SQLiteDriver {
  const { DatabaseSync, Database, default: fallback } = module as Record<string, unknown>
  const Driver = DatabaseSync ?? Database ?? fallback
  if (typeof Driver !== 'function') throw new Error('has no database class')
  return Driver as SQLiteDriver
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n', 1)[0] ?? ''
}
