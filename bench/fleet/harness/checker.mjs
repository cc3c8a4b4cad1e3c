/**
 * Knows every acknowledged invalidation and every read, and finds the reads that should not have been.
 *
 * A read is stale by an invalidation of its key if it began after the acknowledgement and yet got data whose fetch had
 * begun before the invalidation was called; by how much, is the time from the acknowledgement to the read. After a soft
 * invalidation only reads that ask for fresh data (`whenStale: 'wait'`) count: the others may be served old data while
 * it is refreshed. In the worker that made it an invalidation holds at once.
 */
export class Checker {
  #invalidations = new Map()
  count = 0

  /** `keys`: all keys that it covers, as strings. */
  acknowledged({ keys, kind, member, calledAt, ackedAt }) {
    this.count++
    for (const key of keys) {
      const known = this.#invalidations.get(key) ?? []
      known.push({ kind, member, calledAt, ackedAt })
      this.#invalidations.set(key, known)
    }
  }

  /**
   * `reads`: `{ key, mode, member, start, end, began }`. Returns them with `staleBy`, those that are stale alone; `began` of one that
   * has failed is `null`.
   */
  staleReads(reads) {
    const stale = []
    for (const read of reads) {
      if (read.began === null) continue
      let since = Number.POSITIVE_INFINITY
      let isOwn = false
      for (const { kind, member, calledAt, ackedAt } of this.#invalidations.get(read.key) ?? []) {
        if (kind === 'soft' && read.mode !== 'wait') continue
        if (calledAt <= read.began || ackedAt >= read.start) continue
        since = Math.min(since, ackedAt)
        isOwn ||= member === read.member
      }
      if (since !== Number.POSITIVE_INFINITY)
        stale.push({ ...read, staleBy: read.start - since, since, isOwn })
    }
    return stale
  }
}

export const worst = (stale) => Math.max(0, ...stale.map(({ staleBy }) => staleBy))
