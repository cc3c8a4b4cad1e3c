/**
 * The change feed over one Redis stream.
 *
 * An append is one entry, or several where it is long, sent in one go; each entry has a mark that no other has.
 * The stream keeps about `length` entries. Owns its followers, each with a connection of its own; `close` stops
 * them. States: open, closed; closed is final. May import errors, ports and this folder.
 */

import { StorageError } from '../../errors.ts'
import type { ChangeFeed } from '../../ports/storage.ts'
import { BLOCK, FeedFollower } from './feed-follower.ts'
import type { RedisConnection } from './redis-commands.ts'
import { MARK_FIELD, MESSAGE_FIELD } from './stream-reader.ts'
import { encodeText } from './text-codec.ts'

const MESSAGES_PER_ENTRY = 100
/** A follower reads its last entry again to see that it is still there. */
const CHARACTERS_PER_ENTRY = 16_384

export interface RedisFeedSettings {
  readonly key: string
  readonly length: number
  readonly replyTimeout: number
  /** Sends commands in one go; `size`: the characters in them. */
  readonly send: (size: number, commands: readonly (readonly string[])[]) => Promise<unknown>
  readonly openLine: RedisConnection['openLine']
}

export class RedisFeed implements ChangeFeed {
  readonly heartbeat = BLOCK
  readonly #settings: RedisFeedSettings
  readonly #key: string
  readonly #followers = new Set<FeedFollower>()
  readonly #writer = crypto.randomUUID().slice(0, 13)
  #written = 0
  #isClosed = false

  constructor(settings: RedisFeedSettings) {
    this.#settings = settings
    this.#key = encodeText(settings.key)
  }

  async append(messages: readonly string[]): Promise<void> {
    if (messages.length === 0) return
    const { send } = this.#settings
    const texts = messages.map(encodeText)
    const size = texts.reduce((sum, text) => sum + text.length, 0)
    await send(
      size,
      entriesOf(texts).map((entry) => this.#toCommand(entry)),
    )
  }

  async follow(
    onMessages: (messages: readonly string[]) => void,
    onGap: (reason: string, mayHaveGoneBack: boolean) => void,
    onHeard: (age: number) => void = () => {},
  ): Promise<() => void> {
    const { openLine, replyTimeout } = this.#settings
    const follower = new FeedFollower({
      open: (onLost) => openLine(this.#key, onLost),
      addEntry: (key) => this.#toCommand([], key),
      replyTimeout,
      onMessages,
      onGap,
      onHeard,
    })
    if (this.#isClosed) throw closedError()
    this.#followers.add(follower)
    const stop = () => {
      this.#followers.delete(follower)
      follower.stop()
    }
    try {
      await follower.begin()
      if (this.#isClosed) throw closedError()
      return stop
    } catch (error) {
      stop()
      throw error
    }
  }

  close(): void {
    this.#isClosed = true
    for (const follower of this.#followers) follower.stop()
    this.#followers.clear()
  }

  #toCommand(texts: readonly string[], key = this.#key): string[] {
    const mark = `${this.#writer}.${(this.#written++).toString(36)}`
    const command = ['XADD', key, 'MAXLEN', '~', String(this.#settings.length), '*', MARK_FIELD, mark]
    for (const text of texts) command.push(MESSAGE_FIELD, text)
    return command
  }
}

function entriesOf(texts: readonly string[]): string[][] {
  const entries: string[][] = []
  let entry: string[] = []
  let size = 0
  for (const text of texts) {
    if (
      entry.length === MESSAGES_PER_ENTRY ||
      (entry.length > 0 && size + text.length > CHARACTERS_PER_ENTRY)
    ) {
      entries.push(entry)
      entry = []
      size = 0
    }
    entry.push(text)
    size += text.length
  }
  entries.push(entry)
  return entries
}

function closedError(): StorageError {
  return new StorageError('STORAGE_UNAVAILABLE', 'this RedisStorage is closed')
}
