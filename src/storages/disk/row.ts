/**
 * How a row lies in the data file. Pure; may import siblings that are. A change here is a new `FORMAT`.
 *
 *   0      encoding of the value (ASCII, UTF-8, UTF-16)
 *   1      flags: value in chunks, key kept in full
 *   4..8   length of the full key, where kept
 *   8..16  expiry, epoch milliseconds, Infinity = none
 *   16..24 rank: the row's place in the order of leaving
 *   24..   full key (UTF-16), then the value, or where its chunks are
 *
 * Large values lie in chunks of eight pages: LMDB needs consecutive pages for one item, and finds no long runs
 * of them in a file that is full, so the file would grow past any limit.
 */

import { DIGEST_KEY, LONE_SURROGATE } from './key.ts'

export const FORMAT = 1

const HEADER_BYTES = 24
const PAGE_HEADER_BYTES = 24
export const CHUNK_BYTES = 8 * 4_096 - PAGE_HEADER_BYTES
const IS_CHUNKED = 1
const HAS_FULL_KEY = 2

const ENCODINGS = ['latin1', 'utf8', 'utf16le'] as const

export interface PreparedRow {
  readonly head: Buffer
  readonly chunks: readonly Buffer[]
  /** About what the entry takes in the file. */
  readonly bytes: number
}

/** The row of `value`; `placeRow` completes it inside the transaction. */
export function prepareRow(key: string, storedKey: Buffer, value: string, expiresAt: number): PreparedRow {
  const { encoding, bytes: text } = encodeText(value)
  const fullKey = storedKey[0] === DIGEST_KEY ? Buffer.from(key, 'utf16le') : undefined
  const fullKeyBytes = fullKey?.length ?? 0
  const isChunked = HEADER_BYTES + fullKeyBytes + text.length > CHUNK_BYTES
  const head = Buffer.alloc(HEADER_BYTES + (isChunked ? 24 : fullKeyBytes + text.length))
  const chunks: Buffer[] = []
  head[0] = encoding
  head[1] = (isChunked ? IS_CHUNKED : 0) | (fullKey ? HAS_FULL_KEY : 0)
  head.writeUInt32LE(fullKeyBytes, 4)
  head.writeDoubleLE(expiresAt, 8)
  if (isChunked) {
    const whole = fullKey ? Buffer.concat([fullKey, text]) : text
    for (let at = 0; at < whole.length; at += CHUNK_BYTES) chunks.push(whole.subarray(at, at + CHUNK_BYTES))
    head.writeUInt32LE(chunks.length, HEADER_BYTES + 8)
    head.writeDoubleLE(whole.length, HEADER_BYTES + 16)
  } else {
    fullKey?.copy(head, HEADER_BYTES)
    text.copy(head, HEADER_BYTES + fullKeyBytes)
  }
  return { head, chunks, bytes: entryBytes(storedKey, head, chunks.length) }
}

/** About what an entry takes: LMDB gives whole pages to what is over half of one. */
function entryBytes(storedKey: Uint8Array, head: Uint8Array, chunkCount: number): number {
  const indexes = 3 * storedKey.length + 150
  const row = head.length > 2_000 ? Math.ceil((head.length + PAGE_HEADER_BYTES) / 4_096) * 4_096 : head.length
  return indexes + row + chunkCount * (CHUNK_BYTES + PAGE_HEADER_BYTES + 32)
}

/** The first rank of an entry names its chunks too: ranks never come again while a row of theirs is left. */
export function placeRow(row: PreparedRow, rank: number): void {
  row.head.writeDoubleLE(rank, 16)
  if (row.chunks.length > 0) row.head.writeDoubleLE(rank, HEADER_BYTES)
}

export function withRank(row: Buffer, rank: number): Buffer {
  const copy = Buffer.from(row.subarray(0, row.length))
  copy.writeDoubleLE(rank, 16)
  return copy
}

/** A view on a row's bytes: valid as long as they are. */
export class RowView {
  readonly #bytes: Buffer

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get expiresAt(): number {
    return this.#bytes.readDoubleLE(8)
  }

  get rank(): number {
    return this.#bytes.readDoubleLE(16)
  }

  get chunkCount(): number {
    return this.#isChunked ? this.#bytes.readUInt32LE(HEADER_BYTES + 8) : 0
  }

  get chunkId(): number {
    return this.#isChunked ? this.#bytes.readDoubleLE(HEADER_BYTES) : 0
  }

  /** What the entry takes, by the same reckoning as `PreparedRow.bytes`. */
  bytesUnder(storedKey: Uint8Array): number {
    return entryBytes(storedKey, this.#bytes, this.chunkCount)
  }

  /** Key in full (undefined where the stored key says it all) and value; undefined when a chunk is missing. */
  read(chunk: (id: number, index: number) => Buffer | undefined): RowText | undefined {
    if (this.#bytes.length < HEADER_BYTES) return undefined
    const encoding = ENCODINGS[this.#bytes[0]!]
    const keyBytes = this.#bytes.readUInt32LE(4)
    if (encoding === undefined) return undefined
    // Reading a chunk may overwrite the row's own bytes: nothing is read from them after it.
    const keyStart = this.#isChunked ? 0 : HEADER_BYTES
    const body = keyStart === 0 ? this.#join(chunk) : this.#bytes
    if (body === undefined) return undefined
    const valueStart = keyStart + keyBytes
    const fullKey = keyBytes === 0 ? undefined : body.toString('utf16le', keyStart, valueStart)
    // Its end said: Bun takes that of the memory behind it (see `readBytes`).
    return { fullKey, value: body.toString(encoding, valueStart, body.length) }
  }

  get #isChunked(): boolean {
    return (this.#bytes[1]! & IS_CHUNKED) !== 0
  }

  #join(chunk: (id: number, index: number) => Buffer | undefined): Buffer | undefined {
    const count = this.chunkCount
    const id = this.chunkId
    const length = this.#bytes.readDoubleLE(HEADER_BYTES + 16)
    if (!(length <= count * CHUNK_BYTES)) return undefined
    const whole = Buffer.allocUnsafe(length)
    let at = 0
    for (let index = 0; index < count; index++) {
      const part = chunk(id, index)
      if (part === undefined || at + part.length > whole.length) return undefined
      whole.set(part.subarray(0, part.length), at)
      at += part.length
    }
    return at === whole.length ? whole : undefined
  }
}

export interface RowText {
  readonly fullKey: string | undefined
  readonly value: string
}

export function chunkKey(id: number, index: number): Buffer {
  const key = Buffer.allocUnsafe(12)
  key.writeDoubleBE(id, 0)
  key.writeUInt32BE(index, 8)
  return key
}

export function encodeText(text: string): { readonly encoding: number; readonly bytes: Buffer } {
  const encoding = encodingOf(text)
  return { encoding, bytes: Buffer.from(text, ENCODINGS[encoding]) }
}

export function decodeText(encoding: number, bytes: Buffer): string {
  return bytes.toString(ENCODINGS[encoding])
}

function encodingOf(text: string): 0 | 1 | 2 {
  if (LONE_SURROGATE.test(text)) return 2
  return Buffer.byteLength(text) === text.length ? 0 : 1
}
