/**
 * A string key as LMDB key: any string, bounded length. Pure; imports nothing of the project.
 *
 * First byte: how the rest holds the key. UTF-8 where it is well formed, UTF-16 where it is not (UTF-8 would
 * make two different lone surrogates equal), SHA-256 where it is long: the row then keeps the key in full, and
 * readers compare it.
 */

import { createHash } from 'node:crypto'

export const UTF8_KEY = 1
export const UTF16_KEY = 2
export const DIGEST_KEY = 3

/** UTF-8 cannot hold it. */
export const LONE_SURROGATE = /\p{Surrogate}/u

/** LMDB takes 1978 bytes; few keys to a page would make the trees deep. */
const MAX_PLAIN_BYTES = 511

export function encodeKey(key: string): Buffer {
  const isPlain = !LONE_SURROGATE.test(key)
  const length = isPlain ? Buffer.byteLength(key) : key.length * 2
  if (length > MAX_PLAIN_BYTES) return Buffer.concat([Buffer.of(DIGEST_KEY), digest(key)])
  const bytes = Buffer.allocUnsafe(length + 1)
  bytes[0] = isPlain ? UTF8_KEY : UTF16_KEY
  bytes.write(key, 1, isPlain ? 'utf8' : 'utf16le')
  return bytes
}

/** Of Node's buffers, a method that its types leave out. */
type KeyBuffer = Buffer & { utf8Write(text: string, position: number): number }

/**
 * Writes a key into the driver's own buffer; bytes stay as they are. The encoder of the driver's stores for
 * reading, where a buffer for each key would be a tenth of the time.
 */
export const keyEncoder = {
  writeKey(key: string | Uint8Array, target: KeyBuffer, position: number): number {
    if (typeof key !== 'string') {
      target.set(key, position)
      return position + key.length
    }
    if (key.length <= MAX_PLAIN_BYTES) {
      target[position] = UTF8_KEY
      // As many bytes as characters: all ASCII, and no surrogates.
      if (target.utf8Write(key, position + 1) === key.length) return position + 1 + key.length
    }
    return this.writeKey(encodeKey(key), target, position)
  },
  readKey(source: Buffer, start: number, end: number): Buffer {
    return Buffer.from(source.subarray(start, end))
  },
}

/** The key that `bytes` holds; undefined where it is only a digest. */
export function decodeKey(bytes: Buffer): string | undefined {
  if (bytes[0] === DIGEST_KEY) return undefined
  return bytes.toString(bytes[0] === UTF8_KEY ? 'utf8' : 'utf16le', 1)
}

/** Every range that may hold keys starting with `prefix`; what they hold must still be compared. */
export function rangesOf(prefix: string): { start: Buffer; end: Buffer }[] {
  // A prefix may end in the middle of a surrogate pair, which UTF-8 cannot: look under what is before it.
  const lone = prefix.search(LONE_SURROGATE)
  const head = lone === -1 ? prefix : prefix.slice(0, lone)
  const start = Buffer.concat([Buffer.of(UTF8_KEY), Buffer.from(head).subarray(0, MAX_PLAIN_BYTES)])
  const end = Buffer.concat([start, Buffer.of(0xff)])
  return [
    { start, end },
    { start: Buffer.of(UTF16_KEY), end: Buffer.of(DIGEST_KEY) },
    { start: Buffer.of(DIGEST_KEY), end: Buffer.of(DIGEST_KEY + 1) },
  ]
}

// UTF-16, since UTF-8 is not one to one.
function digest(key: string): Buffer {
  return createHash('sha256').update(key, 'utf16le').digest()
}
