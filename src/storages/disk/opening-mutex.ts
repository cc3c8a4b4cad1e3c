/**
 * One process at a time opens or closes the stores of a directory.
 *
 * LMDB asks for it: the last process that leaves destroys the locks in the shared memory, and one that comes in
 * that moment would use them. It is a file that names its holder, since whoever has not opened anything yet has
 * no better lock: "<pid> <start of the process> <random>", and "exit" behind it where the holder was ending.
 * That of a dead process is taken over at once, also where its number has gone to another one (in a container
 * the first process is number 1 each time; the threads of a process share number and start); that of an ending
 * one after `LIFE_AT_EXIT`, since what has ended may have been a thread; that of one which stands still after
 * `LIFE`: what it guards takes milliseconds.
 * May import nothing of the project.
 */

import { randomUUID } from 'node:crypto'
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const FILE = 'stackquery-cache.opening'
const LIFE = 5_000
const LIFE_AT_EXIT = 500
const PAUSE = 5
/** What a process that ends waits at most for others that do. */
const MAX_WAIT_AT_EXIT = 250

/** Held until what `work` returns has settled. */
export async function underOpeningMutex<T>(directory: string, work: () => T | Promise<T>): Promise<T> {
  const path = join(directory, FILE)
  const holder = `${process.pid} ${startOf(process.pid)} ${randomUUID()}`
  while (!take(path, holder)) await delay(PAUSE)
  try {
    return await work()
  } finally {
    // It is another's where this process stood still meanwhile.
    if (holderOf(path) === holder) rmSync(path, { force: true })
  }
}

/** Directories whose file this thread has left behind: it may have several storages on one. */
const heldForGood = new Set<string>()

/** For the `exit` event: the runtime closes what is open after it. The file stays behind. */
export function holdOpeningMutexForGood(directory: string): void {
  if (heldForGood.has(directory)) return
  const path = join(directory, FILE)
  const holder = `${process.pid} ${startOf(process.pid)} ${randomUUID()} exit`
  const deadline = performance.now() + MAX_WAIT_AT_EXIT
  while (!take(path, holder)) {
    if (performance.now() >= deadline) return
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE)
  }
  heldForGood.add(directory)
}

function take(path: string, holder: string): boolean {
  try {
    writeFileSync(path, holder, { flag: 'wx' })
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
    if (!isAbandoned(holder, Date.now() - statSync(path).mtimeMs)) return
    const aside = `${path}.${randomUUID()}`
    renameSync(path, aside)
    // Another process may have been faster, and hold it by now.
    if (readFileSync(aside, 'utf8') === holder) rmSync(aside)
    else renameSync(aside, path)
  } catch {
    // It is gone already.
  }
}

function isAbandoned(holder: string, age: number): boolean {
  // Made, and about to be written.
  if (holder === '') return age > LIFE
  const [pid, start, , end] = holder.split(' ')
  if (age > (end === 'exit' ? LIFE_AT_EXIT : LIFE) || !isAlive(Number(pid))) return true
  const startNow = startOf(Number(pid))
  return start !== '' && startNow !== '' && start !== startNow
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

/** When it began, in ticks since the machine did; '' where the system does not say so in a file, as Linux does. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // Behind the name in brackets, which may hold anything: see proc_pid_stat(5).
    return stat.slice(stat.lastIndexOf(')')).split(' ')[20] ?? ''
  } catch {
    return ''
  }
}

function holderOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
