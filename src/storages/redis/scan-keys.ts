/** The keys of a prefix, by SCAN cursors, one node after another. May import nothing but this folder. */

import type { RedisCommands } from './redis-commands.ts'
import { LEASE_MARK } from './redis-lease.ts'
import { decodeText, encodeText } from './text-codec.ts'

const PAGE = 500
const REMEMBERED = 100_000

export async function* scanKeys(
  prefix: string,
  feedKey: string,
  send: <T>(run: (commands: RedisCommands) => Promise<T>) => Promise<T>,
): AsyncGenerator<string, void> {
  const { keyPrefix, scanners } = await send(async (commands) => ({
    keyPrefix: commands.keyPrefix,
    scanners: await commands.scanners(),
  }))
  // A prefix may end between the halves of a surrogate pair; the half is matched after decoding.
  const match = `${escapeGlob(keyPrefix + encodeText(prefix.replace(/[\ud800-\udbff]$/, '')))}*`
  // SCAN repeats keys while the server's table is being resized.
  const seen = new Set<string>()
  for (const scan of scanners) {
    let cursor = '0'
    do {
      const [next, names] = await send(() => scan(cursor, match, PAGE))
      cursor = String(next)
      for (const name of names) {
        const key = decodeText(name.slice(keyPrefix.length))
        if (!key.startsWith(prefix) || name.endsWith(LEASE_MARK) || key === feedKey || seen.has(key)) continue
        if (seen.size >= REMEMBERED) seen.clear()
        seen.add(key)
        yield key
      }
    } while (cursor !== '0')
  }
}

function escapeGlob(text: string): string {
  return text.replace(/[\\*?[\]]/g, '\\$&')
}
