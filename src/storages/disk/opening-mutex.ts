/**
 * One process at a time opens or closes the stores of a directory.
 *
 * LMDB asks for it: the last process that leaves destroys the locks in the shared memory, and one that comes in
 * that moment would use them. It is a file that names its holder, since whoever has not opened anything yet has
 * no better lock. That of a dead process is taken over at once, that of one which stands still after `LIFE`:
 * what it guards takes milliseconds.
 * May import nothing of the project.
 */

import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const FILE = 'stackquery-cache.opening'
const LIFE = 5_000
const PAUSE = 5
/** What a process that ends waits at most for others that do. */
const MAX_WAIT_AT_EXIT = 250

export function underOpeningMutex<T>(directory: string, work: () => T): T {
  const path = join(directory, FILE)
  while (!take(path)) pause()
  try {
    return work()
  } finally {
    rmSync(path, { force: true })
  }
}

/**
 * For the `exit` event: the runtime closes what is open after it. The file stays behind, under the name of a
 * process that will be dead.
 */
export function holdOpeningMutexForGood(directory: string): void {
  const deadline = performance.now() + MAX_WAIT_AT_EXIT
  while (!take(join(directory, FILE)) && performance.now() < deadline) pause()
}

function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE)
}

function take(path: string): boolean {
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    // Where no file can be written, nobody can open the stores either.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return true
    removeIfAbandoned(path)
    return false
  }
}

function removeIfAbandoned(path: string): void {
  try {
    const holder = readFileSync(path, 'utf8')
    const isDead = holder !== '' && !isAlive(Number(holder))
    if (!isDead && Date.now() - statSync(path).mtimeMs <= LIFE) return
    const aside = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`
    renameSync(path, aside)
    // Another process may have been faster, and hold it by now.
    if (readFileSync(aside, 'utf8') === holder) rmSync(aside)
    else renameSync(aside, path)
  } catch {
    // It is gone already.
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}
