/** What the tests of the disk storage share: directories that vanish, storages that get closed, child processes. */

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { type DiskCacheOptions, DiskCacheStorage } from '../../../src/storages/disk/index.ts'

const LOADER = fileURLToPath(new URL('../../typescript-loader.mjs', import.meta.url))

/** A path for a cache; its parent is deleted after the test. */
export function scratchDirectory(): string {
  const parent = mkdtempSync(join(tmpdir(), 'stackquery-disk-'))
  onTestFinished(() => rmSync(parent, { recursive: true, force: true }))
  return join(parent, 'cache')
}

/** Closed after the test. */
export function openStorage(options: DiskCacheOptions = {}): DiskCacheStorage {
  const storage = new DiskCacheStorage({ directory: scratchDirectory(), ...options })
  onTestFinished(() => storage.close())
  return storage
}

export interface Child {
  readonly process: ChildProcess
  /** What it has written, line by line, so far. */
  readonly lines: string[]
  /** Resolves with the exit code or signal. */
  readonly ended: Promise<number | NodeJS.Signals>
  /** Resolves when a line equal to `text` has come; rejects when the process ends without it. */
  line(text: string): Promise<void>
}

/** Runs `processes/<name>.ts` in a process of its own, killed after the test if it still runs. */
export function startChild(name: string, ...args: string[]): Child {
  const script = fileURLToPath(new URL(`processes/${name}.ts`, import.meta.url))
  const child = spawn(process.execPath, ['--import', LOADER, script, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines: string[] = []
  const listeners = new Set<() => void>()
  const reader = createInterface({ input: child.stdout })
  reader.on('line', (line) => {
    lines.push(line)
    for (const listener of listeners) listener()
  })
  const ended = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once('close', (code, signal) => resolve(code ?? signal!))
  })
  const line = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (!lines.includes(text)) return
        listeners.delete(look)
        resolve()
      }
      listeners.add(look)
      look()
      void ended.then((code) => reject(new Error(`${name} ended with ${code} before it said ${text}`)))
    })
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return { process: child, lines, ended, line }
}

export async function collect(keys: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = []
  for await (const key of keys) all.push(key)
  return all.sort()
}

/** Resolves when `check` gives true; checked every few milliseconds. */
export async function until(check: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await check())) await new Promise((resolve) => setTimeout(resolve, 5))
}
