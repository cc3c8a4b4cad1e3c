/** `npm run demo` as a process of its own, with a temporary folder of its own to look into afterwards. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const RUN = fileURLToPath(new URL('../../examples/demo/run.mjs', import.meta.url))

export class DemoProcess {
  readonly #child: ChildProcess
  readonly #folder = mkdtempSync(join(tmpdir(), 'stackquery-demo-test-'))
  readonly #ended: Promise<unknown[]>
  output = ''

  constructor(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.#child = spawn(process.execPath, [RUN, ...args], {
      env: { ...process.env, NODE_OPTIONS: '', TMPDIR: this.#folder, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text
      })
    this.#ended = once(this.#child, 'close')
  }

  /** The exit code, or the signal that ended it. */
  async end(): Promise<unknown> {
    const [code, signal] = await this.#ended
    return code ?? signal
  }

  /** Resolves once the output matches. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.output)
      if (found !== null) return found
      const more = once(this.#child.stdout as NodeJS.ReadableStream, 'data').then(() => true)
      const isOver = !(await Promise.race([more, this.#ended.then(() => false)]))
      if (isOver && !pattern.test(this.output)) throw new Error(`It never said ${pattern}:\n${this.output}`)
    }
  }

  async pids(): Promise<number[]> {
    const [, list = ''] = await this.says(/workers? reads? \(pids? ([\d, ]+)\)/)
    return list.split(', ').map(Number)
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** What it has left in its temporary folder. */
  leftovers(): string[] {
    return readdirSync(this.#folder)
  }

  dispose(): void {
    this.#child.kill('SIGKILL')
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
