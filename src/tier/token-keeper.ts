/**
 * The tokens that are not known yet: asks L2 for them, and makes the first ones of slots where it has none.
 *
 * Invariants: a slot gets no two first tokens of this worker's at a time; a first token counts from the moment that L2 has
 * it, since a fetch that began earlier must not use it; where the backend can `add`, workers who make one at the same time
 * agree on one. Never rejects: what L2 did not tell stays unknown. Owns no timer; what it orders waits in the write-behind
 * queue.
 */

import type { Answers, BatchReader } from './batch-reader.ts'
import { type Generations, isToken } from './generations.ts'
import { doneOf } from './pending-write.ts'
import type { StorageGuard } from './storage-guard.ts'
import type { StoredName } from './stored-name.ts'
import { TokenAdder } from './token-adder.ts'
import type { Vouch, Vouching } from './vouching.ts'
import type { WriteBehind } from './write-behind.ts'
import type { WriteMaker } from './write-maker.ts'

export interface TokenKeeperSettings {
  readonly guard: StorageGuard
  readonly reader: BatchReader
  readonly writes: WriteBehind
  readonly maker: WriteMaker
  readonly generations: Generations
  readonly vouching: Vouching
  readonly namespaceKey: string
  /** Milliseconds that never step back. */
  readonly now: () => number
}

export class TokenKeeper {
  readonly #settings: TokenKeeperSettings
  readonly #generations: Generations
  /** Where the backend can add. */
  readonly #adder: TokenAdder | null
  readonly #making = new Map<string, Promise<void>>()
  /** Keys of writes for which generations are being asked for. */
  readonly #learning = new Set<string>()

  constructor(settings: TokenKeeperSettings) {
    this.#settings = settings
    this.#generations = settings.generations
    const { guard } = settings
    const { add } = guard.backend
    this.#adder =
      add === undefined ? null : new TokenAdder(guard, (...entry) => add.apply(guard.backend, entry))
  }

  /** Returns what stands for the reads that have asked for the namespace's token. */
  hearNamespace(answers: Answers): Vouch | null {
    const { vouching, namespaceKey, now } = this.#settings
    const answer = answers.get(namespaceKey)
    if (answer === undefined) return null
    const isKnown = vouching.current?.token === answer
    const token = isKnown || (answer !== null && isToken(answer)) ? answer : null
    if (token === null) void this.#make(namespaceKey)
    return vouching.learn(token, now())
  }

  /** Takes in what was asked for at `seq`, under `vouch`. Returns whether L2 answered for all of them. */
  learn(tokenKeys: readonly string[], answers: Answers, seq: number, vouch: Vouch | null = null): boolean {
    for (const tokenKey of tokenKeys) if (!answers.has(tokenKey)) return false
    for (const tokenKey of tokenKeys)
      this.#generations.learn(tokenKey, answers.get(tokenKey) ?? null, seq, vouch)
    return true
  }

  /** Asks for those that are not known; afterwards all are, where L2 answered. */
  async ask(tokenKeys: readonly string[]): Promise<void> {
    const unknown = tokenKeys.filter((tokenKey) => !this.#generations.isKnown(tokenKey))
    if (unknown.length > 0) {
      const seq = this.#generations.mark()
      if (!this.learn(unknown, await this.#settings.reader.load(unknown), seq)) return
    }
    await this.settle(tokenKeys)
  }

  /** So that what waits to be written for this key can be made. */
  async askFor({ storageKey, tokenKeys }: StoredName): Promise<void> {
    if (this.#learning.has(storageKey)) return
    this.#learning.add(storageKey)
    await this.ask(tokenKeys)
    this.#learning.delete(storageKey)
    // Where L2 did not tell, trying again at once would end in a circle.
    if (this.#generations.capture(tokenKeys) !== null) this.#settings.writes.nudge(storageKey)
  }

  /** Makes the tokens that L2 lacks, and waits for those that are on their way to it. */
  async settle(tokenKeys: readonly string[]): Promise<void> {
    if (this.#generations.capture(tokenKeys) !== null) return
    await Promise.all(
      tokenKeys.map((tokenKey) => {
        if (!this.#generations.isKnown(tokenKey)) return this.#make(tokenKey)
        const write = this.#settings.writes.peek(tokenKey)
        return write === undefined ? undefined : doneOf(write)
      }),
    )
  }

  #make(tokenKey: string): Promise<void> {
    const running = this.#making.get(tokenKey)
    if (running !== undefined) return running
    const making = this.#addFirst(tokenKey).finally(() => this.#making.delete(tokenKey))
    this.#making.set(tokenKey, making)
    return making
  }

  async #addFirst(tokenKey: string): Promise<void> {
    const { maker, reader } = this.#settings
    if (this.#adder === null) return doneOf(maker.token(tokenKey))
    const token = this.#generations.makeToken()
    const isAdded = await this.#adder.add(tokenKey, token)
    if (isAdded === undefined) return
    if (isAdded) {
      this.#generations.settled(tokenKey, token)
      return
    }
    // Another was first, and its token counts.
    const seq = this.#generations.mark()
    const answers = await reader.load([tokenKey])
    this.learn([tokenKey], answers, seq)
    // What is no token would stand in the way for ever.
    const isTaken = typeof answers.get(tokenKey) === 'string' && !this.#generations.isKnown(tokenKey)
    if (isTaken) await doneOf(maker.token(tokenKey))
  }
}
