/** What the command line asks for, or what is wrong with it. */

import { resolve } from 'node:path'

export type StorageChoice =
  | { readonly kind: 'sqlite' | 'disk' /** `undefined`: in a temporary folder. */; readonly path?: string }
  | { readonly kind: 'redis'; readonly url: string }
  | { readonly kind: 'memory' }
  | { readonly kind: 'none' }

export interface Options {
  readonly workers: number
  readonly seconds: number
  readonly storage: StorageChoice
  /** Plain lines, also on a terminal. */
  readonly isPlain: boolean
}

export type Command =
  | { readonly name: 'run'; readonly options: Options }
  | { readonly name: 'help' }
  | { readonly name: 'wrong'; readonly message: string }

export const USAGE = `Usage: npm run demo -- [options]

Several worker processes read the world's airports from a slow HTTP origin, through stackquery: L1 in each worker,
one L2 for all. Some update and invalidate, and one is killed and restarted.

  --workers N     worker processes, 1 to 16 (default 4)
  --seconds N     how long they read, 3 to 600 (default 20)
  --storage L2    sqlite (default) or disk, in a temporary folder that is removed at the end
                  sqlite:PATH, disk:DIR: a file or folder of yours, which stays
                  redis://HOST:PORT, rediss://...: a Redis server
                  memory: an L2 for each worker alone; none: no L2
  --plain         plain lines instead of the live line of a terminal
  --help          this text

Exit code: 0; 1 where a check failed or a worker crashed; 2 for wrong options; 130 after ctrl-C.`

/** @param folder what relative paths are relative to */
export function parseCommand(args: readonly string[], folder: string): Command {
  const values = { workers: '4', seconds: '20', storage: 'sqlite' }
  let isPlain = false
  const rest = [...args]
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    const [, name = '', attached] = /^--([^=]*)(?:=(.*))?$/s.exec(arg) ?? []
    if (arg === '--help' || arg === '-h') return { name: 'help' }
    if (arg === '--plain') {
      isPlain = true
    } else if (name === 'workers' || name === 'seconds' || name === 'storage') {
      const value = attached ?? rest.shift()
      if (value === undefined) return wrong(`--${name} has no value`)
      values[name] = value
    } else {
      return wrong(`unknown argument ${JSON.stringify(arg)}`)
    }
  }
  const workers = wholeNumber(values.workers, 1, 16)
  if (workers === null)
    return wrong(`--workers is ${quoted(values.workers)}; expected a whole number from 1 to 16`)
  const seconds = wholeNumber(values.seconds, 3, 600)
  if (seconds === null)
    return wrong(`--seconds is ${quoted(values.seconds)}; expected a whole number from 3 to 600`)
  const storage = storageChoice(values.storage, folder)
  if (storage === null) {
    const expected = 'sqlite, sqlite:PATH, disk, disk:DIR, redis://HOST:PORT, memory or none'
    return wrong(`--storage is ${quoted(values.storage)}; expected ${expected}`)
  }
  return { name: 'run', options: { workers, seconds, storage, isPlain } }
}

export function describe(storage: StorageChoice): string {
  switch (storage.kind) {
    case 'sqlite':
    case 'disk':
      return `${storage.kind === 'sqlite' ? 'SQLite' : 'LMDB'} at ${storage.path}`
    case 'redis':
      return `Redis at ${new URL(storage.url).host}`
    case 'memory':
      return 'the memory of each worker, shared by none'
    case 'none':
      return 'none'
  }
}

function storageChoice(text: string, folder: string): StorageChoice | null {
  const [, kind, path] = /^(sqlite|disk)(?::(.+))?$/s.exec(text) ?? []
  if (kind === 'sqlite' || kind === 'disk') {
    return path === undefined ? { kind } : { kind, path: resolve(folder, path) }
  }
  if (/^rediss?:\/\/[^/]/.test(text) && URL.canParse(text)) return { kind: 'redis', url: text }
  if (text === 'memory') return { kind: 'memory' }
  return text === 'none' ? { kind: 'none' } : null
}

function wholeNumber(text: string, least: number, most: number): number | null {
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN
  return number >= least && number <= most ? number : null
}

function wrong(message: string): Command {
  return { name: 'wrong', message }
}

function quoted(value: string): string {
  return JSON.stringify(value)
}
