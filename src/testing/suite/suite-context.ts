/**
 * What each test of the suite is given: a fresh subject, and ways to wait that work in real and virtual time.
 *
 * Owns what it opened (`reopen`) and closes it with the subject's storage. May import the storage port and the
 * assertions.
 */

import type { LeaseProvider, StorageBackend } from '../../ports/storage.ts'
import { ok } from './assert.ts'

/** A storage under test, and what its author can do to it. */
export interface StorageSubject {
  /** Fresh: holds nothing yet. The suite closes it. */
  readonly storage: StorageBackend
  /** Called at the end of each test, after the storage was closed. */
  cleanup?(): unknown
  /** Another handle on the same data, as another process would open. The suite closes it. */
  reopen?(): StorageBackend | PromiseLike<StorageBackend>
  /** Moves the storage's time on, where it runs in virtual time. Without it the suite waits for real time. */
  advance?(milliseconds: number): unknown
  /** Makes the feed lose messages that its followers have not heard, as a trimmed or vanished log does. */
  loseFeed?(): unknown
  /** Cuts every follower's connection; it must find its way back by itself. */
  cutFeed?(): unknown
  /** Makes what is beneath the storage fail: server stopped, file gone, network away. */
  fail?(): unknown
  /** Ends what `fail` began. */
  recover?(): unknown
}

/** Tests touch a capability only where their `needs` names it. */
export type FullStorage = {
  [Name in keyof StorageBackend]-?: Name extends 'lease'
    ? Required<LeaseProvider>
    : NonNullable<StorageBackend[Name]>
}

/** What a subject may have beyond `get`, `set` and `delete`: the port's capabilities and the hooks above. */
export type SuiteCapability = (typeof SUITE_CAPABILITIES)[number]

export const PORT_CAPABILITIES = [
  'getMany',
  'setMany',
  'deleteMany',
  'add',
  'snapshot',
  'keys',
  'feed',
  'lease',
  'close',
] as const
export const SUBJECT_HOOKS = ['reopen', 'advance', 'loseFeed', 'cutFeed', 'fail', 'recover'] as const
/** `renew` is the lease's. */
export const SUITE_CAPABILITIES = [...PORT_CAPABILITIES, 'renew', ...SUBJECT_HOOKS] as const

export interface SuiteTest {
  readonly name: string
  /** Runs only where all of these are declared. */
  readonly needs?: readonly SuiteCapability[]
  /** Runs only in the `large` profile. */
  readonly isLarge?: boolean
  run(context: SuiteContext): Promise<void>
}

const POLL = 10

export class SuiteContext {
  readonly subject: StorageSubject
  readonly storage: FullStorage
  readonly #opened: StorageBackend[]
  #isGivenUp = false
  #isWaiting = false
  #isClosed = false

  constructor(subject: StorageSubject) {
    this.subject = subject
    this.storage = subject.storage as FullStorage
    this.#opened = [subject.storage]
  }

  async reopen(): Promise<FullStorage> {
    const storage = await this.subject.reopen?.()
    ok(storage !== undefined, 'reopen: expected a storage')
    this.#opened.push(storage)
    return storage as FullStorage
  }

  /** A second handle where there can be one, the same storage otherwise. */
  async other(): Promise<FullStorage> {
    return this.subject.reopen ? this.reopen() : this.storage
  }

  /** Waits until `check` holds; the test's deadline ends the wait. */
  async eventually(check: () => unknown): Promise<void> {
    this.#isWaiting = true
    while (!(await check())) {
      ok(!this.#isGivenUp, 'given up')
      await this.#pause()
    }
    this.#isWaiting = false
  }

  async isGone(key: string): Promise<boolean> {
    return ((await this.storage.get(key)) ?? null) === null
  }

  /** Lets a little time go by, virtual and real. */
  async #pause(): Promise<void> {
    await this.subject.advance?.(POLL)
    await new Promise((resolve) => setTimeout(resolve, this.subject.advance ? 0 : POLL))
  }

  /** Ends a wait that nobody awaits any more. */
  giveUp(): void {
    this.#isGivenUp = true
  }

  get waitingFor(): string {
    return this.#isWaiting ? 'what it waited for did not happen' : 'an operation hangs'
  }

  /** Once: what a failed test left half-open is not closed twice. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const storage of this.#opened.reverse()) await storage.close?.()
    await this.subject.cleanup?.()
  }
}
