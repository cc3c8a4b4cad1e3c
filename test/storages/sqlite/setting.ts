/** What the SQLite tests share: the built storage, a directory of their own, raw connections, child processes. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import type { SQLiteConnection } from '../../../src/storages/sqlite/driver.ts'
import type { SQLiteStorageOptions } from '../../../src/storages/sqlite/index.ts'
import { loadDriver } from '../../../src/storages/sqlite/load-driver.ts'

type Sources = typeof import('../../../src/storages/sqlite/index.ts')

/** As users run it, with its thread: a thread cannot load the sources on Node 20. */
const built = (await import(
  /* @vite-ignore */ new URL('../../../dist/storages/sqlite/index.js', import.meta.url).href
)) as Sources

export const { Driver, name: driverName } = await loadDriver()

export function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'stackquery-sqlite-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

export function newPath(): string {
  return join(newDirectory(), 'cache.db')
}

export function openStorage(options: SQLiteStorageOptions & { path: string }) {
  const warnings: string[] = []
  const logger = { warn: (message: string) => warnings.push(message) }
  const storage = new built.SQLiteStorage({ logger, ...options })
  onTestFinished(() => storage.close())
  return Object.assign(storage, { warnings })
}

export function openRaw(path: string): SQLiteConnection {
  const connection = new Driver(path)
  onTestFinished(() => {
    try {
      connection.close()
    } catch {
      // The test has closed it.
    }
  })
  return connection
}

export async function collect<T>(iterable: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of iterable) found.push(item)
  return found
}

/** Tries until `condition` holds; the test's own time limit ends it otherwise. */
export async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5))
}

export interface Child {
  readonly process: ChildProcess
  /** The next line that it prints. */
  line(): Promise<string>
  tell(line: string): void
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>
  readonly errors: () => string
}

/** Runs children/`script`.mjs; `uid` only where this process may change it. */
export function startChild(script: string, args: readonly string[], uid?: number): Child {
  const file = fileURLToPath(new URL(`./children/${script}.mjs`, import.meta.url))
  const child = spawn(process.execPath, [file, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(uid === undefined ? {} : { uid, gid: uid }),
  })
  let errors = ''
  child.stderr.on('data', (chunk) => {
    errors += chunk
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const ended = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | string)
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  return {
    process: child,
    ended,
    errors: () => errors,
    tell: (line) => child.stdin.write(`${line}\n`),
    line: async () => {
      const { value, done } = await lines.next()
      if (done) throw new Error(`${script} ended early: ${errors}`)
      return value as string
    },
  }
}
