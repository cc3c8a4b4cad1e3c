/**
 * The log of the change feed, in trees of its own.
 *
 * Invariants, true of every committed transaction: ids grow by one and are never used again; the log has all messages
 * from `first` to `last`, but for one that is larger than the whole log may be, which has an id and no rows. It keeps
 * its newest `length` messages and no more than `maxBytes` of them; what is older leaves a few at a time with each append.
 * `written` counts all bytes appended so far, so that the size needs no counting. `append` and `begin` must run
 * inside a write transaction. A change of the layout is a new `FORMAT`. May import siblings.
 *
 * A message's first row: encoding, number of rows (4..8), what was written before it (8..16), text from 16 on; its
 * further rows: the rest of the text, in chunks as those of a large value.
 */

import { randomUUID } from 'node:crypto'
import { type CacheStores, readBytes } from './lmdb.ts'
import { CHUNK_BYTES, chunkKey, decodeText, encodeText } from './row.ts'

export interface PreparedMessage {
  readonly rows: readonly Buffer[]
  /** About what it takes in the file. */
  readonly bytes: number
}

interface LogState {
  readonly first: number
  readonly last: number
  readonly written: number
}

const HEADER_BYTES = 16
/** A row's key, and its place in the tree. */
const ROW_BYTES = 40
const SPARE_TRIMS = 16

const INCARNATION = Buffer.from('incarnation')
const STATE = Buffer.from('log')

export class MessageLog {
  readonly #stores: CacheStores
  readonly #length: number
  readonly #maxBytes: number

  constructor(stores: CacheStores, length: number, maxBytes: number) {
    this.#stores = stores
    this.#length = length
    this.#maxBytes = maxBytes
  }

  append(messages: readonly PreparedMessage[]): void {
    let { first, last, written } = readState(this.#stores)
    for (const { rows, bytes } of messages) {
      last++
      if (bytes <= this.#maxBytes) {
        rows[0]!.writeDoubleLE(written, 8)
        rows.forEach((row, index) => {
          this.#stores.messages.put(chunkKey(last, index), row)
        })
      }
      written += bytes
    }
    for (let left = SPARE_TRIMS + 2 * messages.length; left > 0 && first <= last; left--) {
      const head = readBytes(this.#stores.messages, chunkKey(first, 0))
      const isOld = first <= last - this.#length
      if (head !== undefined && !isOld && head.readDoubleLE(8) >= written - this.#maxBytes) break
      const count = head?.readUInt32LE(4) ?? 0
      for (let index = 0; index < count; index++) this.#stores.messages.remove(chunkKey(first, index))
      first++
    }
    const state = Buffer.allocUnsafe(24)
    state.writeDoubleLE(first, 0)
    state.writeDoubleLE(last, 8)
    state.writeDoubleLE(written, 16)
    this.#stores.meta.put(STATE, state)
  }
}

export function prepareMessage(text: string): PreparedMessage {
  const { encoding, bytes: body } = encodeText(text)
  const whole = Buffer.alloc(HEADER_BYTES + body.length)
  body.copy(whole, HEADER_BYTES)
  whole[0] = encoding
  const rows: Buffer[] = []
  for (let at = 0; at < whole.length; at += CHUNK_BYTES) rows.push(whole.subarray(at, at + CHUNK_BYTES))
  whole.writeUInt32LE(rows.length, 4)
  return { rows, bytes: whole.length + rows.length * ROW_BYTES }
}

/** Tells this log from the next one at the same place, whose ids are the same. Returns whether it had none. */
export function beginLog({ meta }: CacheStores): boolean {
  if (readBytes(meta, INCARNATION) !== undefined) return false
  meta.put(INCARNATION, Buffer.from(randomUUID()))
  return true
}

export function readIncarnation({ meta }: CacheStores): string {
  const bytes = readBytes(meta, INCARNATION)
  return bytes === undefined ? '' : bytes.toString('latin1', 0, bytes.length)
}

export function readState({ meta }: CacheStores): LogState {
  const bytes = readBytes(meta, STATE)
  if (bytes === undefined) return { first: 1, last: 0, written: 0 }
  return { first: bytes.readDoubleLE(0), last: bytes.readDoubleLE(8), written: bytes.readDoubleLE(16) }
}

/** `undefined` = trimmed, or not there yet. */
export function readMessage({ messages }: CacheStores, id: number): string | undefined {
  const head = readBytes(messages, chunkKey(id, 0))
  if (head === undefined) return undefined
  const encoding = head[0]!
  const count = head.readUInt32LE(4)
  // Reading another row overwrites the bytes of this one.
  const parts = [Buffer.from(head.subarray(HEADER_BYTES, head.length))]
  for (let index = 1; index < count; index++) {
    const part = readBytes(messages, chunkKey(id, index))
    if (part === undefined) return undefined
    parts.push(Buffer.from(part.subarray(0, part.length)))
  }
  return decodeText(encoding, count === 1 ? parts[0]! : Buffer.concat(parts))
}
