/** The parent's handle of one contestant's process: one request at a time, and an end that is certain. */

import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { FULL_SIZE } from './aged-heap.mjs'

const CHILD = fileURLToPath(new URL('contestant.mjs', import.meta.url))
const PATIENCE = 300_000

export class ContestantProcess {
  #child
  #output = ''

  constructor(question, caseName, name, execPath = process.execPath) {
    this.name = name
    this.#child = fork(CHILD, [question.name, caseName, name], {
      execPath,
      execArgv: ['--expose-gc', ...(question.isCold ? [] : FULL_SIZE), ...(question.execArgv ?? [])],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    const keep = (chunk) => {
      this.#output = (this.#output + chunk).slice(-2_000)
    }
    this.#child.stdout.on('data', keep)
    this.#child.stderr.on('data', keep)
  }

  async ready() {
    await this.#answer()
  }

  ask(command, given = {}) {
    const answer = this.#answer()
    this.#child.send({ command, ...given })
    return answer
  }

  async end() {
    const child = this.#child
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    if (child.connected) child.disconnect()
    const timer = setTimeout(() => child.kill('SIGKILL'), 2_000)
    await gone
    clearTimeout(timer)
  }

  #answer() {
    const child = this.#child
    return new Promise((resolve, reject) => {
      const settle = (act) => {
        clearTimeout(timer)
        child.off('message', onMessage)
        child.off('exit', onExit)
        act()
      }
      const fail = (what) => reject(new Error(`${this.name}: ${what}\n${this.#output}`))
      const onMessage = (message) =>
        settle(() => ('failed' in message ? fail(message.failed) : resolve(message.ok)))
      const onExit = (code, signal) => settle(() => fail(`its process ended (${code ?? signal})`))
      const timer = setTimeout(() => settle(() => fail(`no answer within ${PATIENCE / 1000} s`)), PATIENCE)
      child.on('message', onMessage)
      child.on('exit', onExit)
    })
  }
}
