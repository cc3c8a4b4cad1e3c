/**
 * Walks the keys under a prefix, a page at a time, so that no page holds the event loop.
 *
 * TEXT keys sort by code point and BLOB keys by bytes, after all TEXT: in both the keys under a prefix are
 * neighbours, so a walk is two ranges. May import siblings.
 */

import { decodeText, encodeText, utf16Bytes } from './text.ts'

/** A page of stored keys, in order, from `start` on; `isAfter` leaves `start` itself out. */
export type ReadPage = (start: string | Uint8Array, isAfter: boolean) => Promise<readonly unknown[]>

export async function* scanKeys(prefix: string, readPage: ReadPage): AsyncGenerator<string, void, undefined> {
  // A high surrogate at the end may be completed by the key, which is TEXT then.
  const textPrefix = prefix.replace(/[\ud800-\udbff]$/, '')
  const start = encodeText(textPrefix)
  if (typeof start === 'string') yield* scanRange(start, prefix, readPage)
  // An empty range start covers the BLOBs too; some drivers would bind an empty BLOB as NULL.
  if (prefix !== '') yield* scanRange(utf16Bytes(prefix), prefix, readPage)
}

async function* scanRange(
  start: string | Uint8Array,
  prefix: string,
  readPage: ReadPage,
): AsyncGenerator<string, void, undefined> {
  const first = decodeText(start)
  for (let from = start, isAfter = false; ; isAfter = true) {
    const page = await readPage(from, isAfter)
    for (const column of page) {
      if (prefix !== '' && typeof column !== typeof start) return
      const key = decodeText(column)
      if (!key.startsWith(first)) return
      if (key.startsWith(prefix)) yield key
    }
    const last = page.at(-1)
    if (last === undefined) return
    from = last as string | Uint8Array
  }
}
