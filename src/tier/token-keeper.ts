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

/** New keys whose generations are asked for together, so that the first of a burst do not wait for the last. */
const ASKED_TOGETHER = 64

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
  readonly #making = new Map<string, Promise<unknown>>()
  /** Keys of writes for which generations are being asked for. */
  readonly #learning = new Set<string>()
  /** Those of them that nothing was asked for yet: until the next microtask. */
  #unasked: StoredName[] = []

  constructor(settings: TokenKeeperSettings) {
    this.#settings = settings
    this.#generations = settings.generations
    const { guard } = settings
    const { add } = guard.backend
    this.#adder =
      add === undefined ? null : new TokenAdder(guard, (...entry) => add.apply(guard.backend, entry))
  }

  /** Returns what stands for the reads that have asked for the namespace's token, answered at the (monotonic) moment `at`. */
  hearNamespace(answers: Answers, at: number): Vouch | null {
    const { vouching, namespaceKey } = this.#settings
    const answer = answers.get(namespaceKey)
    if (answer === undefined) return null
    const { current } = vouching
    if (current !== null && current.token === answer && at < current.until) return current
    const token = answer !== null && isToken(answer) ? answer : null
    if (token === null) void this.#make(namespaceKey)
    return vouching.learn(token, at)
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

  /** So that what waits to be written for this key can be made. A burst of new keys brings thousands. */
  askFor(name: StoredName): void {
    if (this.#learning.has(name.storageKey)) return
    this.#learning.add(name.storageKey)
    if (this.#unasked.length === 0) {
      queueMicrotask(() => {
        const names = this.#unasked
        this.#unasked = []
        for (let from = 0; from < names.length; from += ASKED_TOGETHER)
          void this.#askForAll(names.slice(from, from + ASKED_TOGETHER))
      })
    }
    this.#unasked.push(name)
  }

  async #askForAll(names: readonly StoredName[]): Promise<void> {
    const isTold = await this.#askTogether([...new Set(names.flatMap(({ tokenKeys }) => tokenKeys))])
    for (const name of names) {
      // Where L2 did not tell, trying again at once would end in a circle. What is left else is each key's own affair: a
      // token that is on its way to L2, or that another worker has just made, is nothing for others to wait for.
      if (!this.#endAsking(name) && isTold) void this.#askAlone(name)
    }
  }

  async #askAlone(name: StoredName): Promise<void> {
    this.#learning.add(name.storageKey)
    await this.ask(name.tokenKeys)
    this.#endAsking(name)
  }

  /** Returns whether what waits can be made now. */
  #endAsking({ storageKey, slots }: StoredName): boolean {
    this.#learning.delete(storageKey)
    if (this.#generations.captureOf(slots) === null) return false
    this.#settings.writes.nudge(storageKey)
    return true
  }

  /** Reads tokens, and adds those that L2 lacks where it can add; returns whether it has answered for all of them. */
  async #askTogether(tokenKeys: readonly string[]): Promise<boolean> {
    const unknown = tokenKeys.filter((tokenKey) => !this.#generations.isKnown(tokenKey))
    if (unknown.length === 0) return true
    const seq = this.#generations.mark()
    if (!this.learn(unknown, await this.#settings.reader.load(unknown), seq)) return false
    if (this.#adder === null) return true
    const absent = unknown.filter(
      (tokenKey) => !this.#generations.isKnown(tokenKey) && !this.#making.has(tokenKey),
    )
    const making = this.#addAll(this.#adder, absent)
    for (const tokenKey of absent) this.#making.set(tokenKey, making)
    return making
  }

  async #addAll(adder: TokenAdder, tokenKeys: readonly string[]): Promise<boolean> {
    const tokens = tokenKeys.map(() => this.#generations.makeToken())
    const answers = await adder.addAll(tokenKeys, tokens)
    for (let i = 0; i < tokenKeys.length; i++) {
      const tokenKey = tokenKeys[i] as string
      this.#making.delete(tokenKey)
      if (answers[i] === true) this.#generations.settled(tokenKey, tokens[i] as string)
    }
    return !answers.includes(undefined)
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

  #make(tokenKey: string): Promise<unknown> {
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
