/**
 * The questions that a follower asks of the stream and its server, and what the replies mean. Pure but for what is
 * sent. May import errors and this folder.
 */

import { StorageError } from '../../errors.ts'
import { toStorageError } from './redis-error.ts'
import { decodeText } from './text-codec.ts'

export const MARK_FIELD = 'n'
export const MESSAGE_FIELD = 'm'

const ENTRIES_PER_READ = 100

export type Send = (args: readonly string[]) => Promise<unknown>

/** An entry of the stream; ids are of the server's clock, so only the mark tells it from one of another stream. */
export interface FeedPosition {
  readonly id: string
  readonly mark: string
}

export interface Reading {
  readonly messages: readonly string[]
  /** The last entry that was read, if any was. */
  readonly position: FeedPosition | undefined
  /** There may be more at once. */
  readonly isFull: boolean
}

type Entry = readonly [id: string, fields: readonly string[]]

/** Waits up to `block` ms for entries after `position`. */
export async function readAfter(
  send: Send,
  key: string,
  position: FeedPosition,
  block: number,
): Promise<Reading> {
  const count = String(ENTRIES_PER_READ)
  const reply = await send(['XREAD', 'COUNT', count, 'BLOCK', String(block), 'STREAMS', key, position.id])
  const entries = (reply as readonly (readonly [string, readonly Entry[]])[] | null)?.[0]?.[1] ?? []
  const messages: string[] = []
  for (const [, fields] of entries) {
    for (let index = 0; index + 1 < fields.length; index += 2) {
      if (fields[index] === MESSAGE_FIELD) messages.push(decodeText(fields[index + 1]!))
    }
  }
  const last = entries.at(-1)
  return {
    messages,
    position: last && positionOf(last),
    isFull: entries.length >= ENTRIES_PER_READ,
  }
}

export async function hasEntry(send: Send, key: string, { id, mark }: FeedPosition): Promise<boolean> {
  const [entry] = (await send(['XRANGE', key, id, id])) as readonly Entry[]
  return entry !== undefined && positionOf(entry).mark === mark
}

/** The last entry; one is added to a stream that has none, since a position is that of an entry. */
export async function endOf(
  send: Send,
  key: string,
  addEntry: () => readonly string[],
): Promise<FeedPosition> {
  for (let attempt = 0; attempt < 3; attempt++) {
    const [last] = (await send(['XREVRANGE', key, '+', '-', 'COUNT', '1'])) as readonly Entry[]
    if (last) return positionOf(last)
    await send(addEntry())
  }
  throw new StorageError('STORAGE_FAILED', `the Redis stream ${key} does not keep what is added`)
}

/**
 * Which server this is, in which life and role of it: another after a restart, and after a replica took over. Where
 * the server does not say, every answer is another, so that every reconnection counts as a gap.
 */
export async function identify(send: Send): Promise<string> {
  let info: string
  try {
    info = (await Promise.all([send(['INFO', 'server']), send(['INFO', 'replication'])])).join('\n')
  } catch (error) {
    if (toStorageError(error).code !== 'STORAGE_FAILED') throw error
    return crypto.randomUUID()
  }
  const field = (name: string) => new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1]
  if (field('role') === 'slave') {
    throw new StorageError('STORAGE_UNAVAILABLE', 'the Redis server is a replica, whose log may be behind')
  }
  const run = field('run_id')
  return run === undefined ? crypto.randomUUID() : `${run} ${field('master_replid')}`
}

function positionOf([id, fields]: Entry): FeedPosition {
  return { id, mark: fields[0] === MARK_FIELD ? fields[1]! : '' }
}
