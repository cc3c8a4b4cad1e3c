/**
 * The storage's own node-redis client: connected in the background, reconnected for as long as it is wanted.
 *
 * States, and what an operation meets in each:
 * - `first`: the first attempt to connect is under way; an operation waits for its end (at most 2 x
 *   `connectTimeout`), since a process that has just begun is not one whose server is away;
 * - `ready`: it is sent;
 * - `away`: connecting again, or waiting to; it is refused at once;
 * - `unusable` (no driver) and `closed`: it is refused for good.
 *
 * Reconnecting is done here and not by node-redis, whose timers for it keep the process alive, and which does
 * not reconnect what only stalled. The client is one object for life, connected again and again. Timers: one at
 * a time, unref'd: the pause before the next attempt. The socket is unref'd but while replies are
 * awaited, so an idle storage never keeps a process alive. Closes by dropping the connection. May import errors
 * and this folder.
 */

import { MissingDriverError, StorageError } from '../../errors.ts'
import { nodeRedisCommands } from './node-redis-commands.ts'
import { nodeRedisLine } from './node-redis-line.ts'
import { connectInTime, createOwnClient, dropClient, type OwnClient } from './own-client.ts'
import type { RedisCommands, RedisConnection, RedisLine } from './redis-commands.ts'
import { reasonOf } from './redis-error.ts'
import type { RedisAddress } from './redis-options.ts'

const FIRST_PAUSE = 50
const LONGEST_PAUSE = 2_000

export class OwnConnection implements RedisConnection {
  readonly #address: RedisAddress
  readonly #connectTimeout: number
  #client: OwnClient | undefined
  #commands: RedisCommands | undefined
  #first: Promise<void> | undefined
  #unusable: MissingDriverError | undefined
  #reason: unknown
  #attempts = 0
  #retry: NodeJS.Timeout | undefined
  #isBusy = false
  #isClosed = false

  constructor(address: RedisAddress, connectTimeout: number) {
    this.#address = address
    this.#connectTimeout = connectTimeout
    this.#first = this.#connect().finally(() => {
      this.#first = undefined
    })
  }

  commands(): RedisCommands | Promise<RedisCommands> {
    if (this.#commands) return this.#commands
    if (this.#first) return this.#first.then(() => this.#commands ?? this.#refuse())
    return this.#refuse()
  }

  setBusy(isBusy: boolean): void {
    this.#isBusy = isBusy
    this.#applyBusy()
  }

  stalled(error: Error): void {
    if (!this.#commands) return
    this.#lost(error)
    this.#drop()
  }

  async openLine(key: string, onLost: (error: Error) => void): Promise<RedisLine> {
    const client = await createOwnClient(this.#address, this.#connectTimeout)
    return nodeRedisLine(client, () => connectInTime(client, this.#connectTimeout), key, onLost)
  }

  close(): void {
    this.#isClosed = true
    this.#commands = undefined
    clearTimeout(this.#retry)
    this.#drop()
  }

  #refuse(): never {
    if (this.#unusable) throw this.#unusable
    const { host, port } = this.#address
    throw new StorageError(
      'STORAGE_UNAVAILABLE',
      `Redis at ${host}:${port} is not connected: ${reasonOf(this.#reason ?? 'closed')}`,
      { cause: this.#reason },
    )
  }

  async #connect(): Promise<void> {
    try {
      this.#client ??= await this.#createClient()
      if (this.#isClosed) return
      await connectInTime(this.#client, this.#connectTimeout)
      if (this.#isClosed) return this.#drop()
      this.#attempts = 0
      this.#commands = nodeRedisCommands(this.#client)
      this.#applyBusy()
    } catch (error) {
      if (error instanceof MissingDriverError) this.#unusable = error
      else this.#retryLater(error)
    }
  }

  #lost(error: unknown): void {
    if (!this.#commands) return
    this.#commands = undefined
    this.#retryLater(error)
    // Later, so that node-redis itself rejects what is in flight, with the reason. It leaves the connection open
    // where the error was in what the server sent.
    queueMicrotask(() => this.#drop())
  }

  #retryLater(reason: unknown): void {
    this.#reason = reason
    if (this.#isClosed) return
    // Half of the pause is left to chance, so that a fleet does not come back all at once.
    const pause = Math.min(FIRST_PAUSE * 2 ** this.#attempts++, LONGEST_PAUSE) * (0.5 + Math.random() / 2)
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => this.#connect(), pause).unref()
  }

  #drop(): void {
    if (this.#client) dropClient(this.#client)
  }

  #applyBusy(): void {
    if (this.#isBusy) this.#client?.ref()
    else this.#client?.unref()
  }

  async #createClient(): Promise<OwnClient> {
    const client = await createOwnClient(this.#address, this.#connectTimeout)
    // Attempts report through connect(); this is for what befalls a connection later. Without a listener any
    // error would end the process.
    client.on('error', ((error: unknown) => this.#lost(error)) as () => void)
    // Only now is there a socket that this reaches; until then the connecting itself holds the process.
    client.on('connect', () => this.#applyBusy())
    return client
  }
}
