/**
 * Puts first tokens into L2 where the backend can `add`: many new keys at once make many tokens, and what each of them would
 * have of its own in the guard (a deadline, a promise, an entry in the meters) costs more than the adding itself. So those of
 * one microtask share a call.
 *
 * Invariants: at most `MOST_CALLS` calls of at most `BATCH` tokens are under way, so that they do not take all the places
 * that the guard has; each token is answered for by itself, and a call has failed where none of its tokens was. Owns no timer.
 */

import type { StorageBackend } from '../ports/storage.ts'
import { Gate } from '../resilience/gate.ts'
import type { StorageGuard } from './storage-guard.ts'

const BATCH = 64
const MOST_CALLS = 4

interface Adding {
  readonly tokenKey: string
  readonly token: string
  readonly resolve: (isAdded: boolean | undefined) => void
}

/** For each token: `false` = another was first; `undefined` = L2 has not said. */
type Answers = readonly (boolean | undefined)[]

export class TokenAdder {
  readonly #guard: StorageGuard
  readonly #add: NonNullable<StorageBackend['add']>
  readonly #gate = new Gate(MOST_CALLS)
  #waiting: Adding[] = []

  /** `add`: the backend's. */
  constructor(guard: StorageGuard, add: NonNullable<StorageBackend['add']>) {
    this.#guard = guard
    this.#add = add
  }

  /** `false` = another was first; `undefined` = L2 has not said. Never rejects. */
  add(tokenKey: string, token: string): Promise<boolean | undefined> {
    return new Promise((resolve) => {
      if (this.#waiting.length === 0) queueMicrotask(() => void this.#sendWaiting())
      this.#waiting.push({ tokenKey, token, resolve })
    })
  }

  /** Never rejects. */
  async addAll(tokenKeys: readonly string[], tokens: readonly string[]): Promise<Answers> {
    const calls: Promise<Answers>[] = []
    for (let from = 0; from < tokenKeys.length; from += BATCH) {
      const to = from + BATCH
      calls.push(this.#gate.pass(() => this.#send(tokenKeys.slice(from, to), tokens.slice(from, to))))
    }
    return (await Promise.all(calls)).flat()
  }

  #sendWaiting(): void {
    const all = this.#waiting
    this.#waiting = []
    for (let from = 0; from < all.length; from += BATCH) {
      const batch = all.slice(from, from + BATCH)
      const tokenKeys = batch.map(({ tokenKey }) => tokenKey)
      const tokens = batch.map(({ token }) => token)
      void this.#gate
        .pass(() => this.#send(tokenKeys, tokens))
        .then((answers) => {
          for (let i = 0; i < batch.length; i++) batch[i]!.resolve(answers[i])
        })
    }
  }

  async #send(tokenKeys: readonly string[], tokens: readonly string[]): Promise<Answers> {
    const outcome = await this.#guard.runMany('set', () => this.#addEach(tokenKeys, tokens), tokenKeys.length)
    return outcome.isOk ? outcome.value : tokenKeys.map(() => undefined)
  }

  async #addEach(tokenKeys: readonly string[], tokens: readonly string[]): Promise<Answers> {
    // One that fails must not take the others with it.
    const answers = await Promise.allSettled(
      tokenKeys.map(async (tokenKey, i) => this.#add(tokenKey, tokens[i] as string)),
    )
    const failed = answers.find((answer) => answer.status === 'rejected')
    if (failed !== undefined && answers.every((answer) => answer.status === 'rejected')) throw failed.reason
    return answers.map((answer) => (answer.status === 'fulfilled' ? answer.value === true : undefined))
  }
}
