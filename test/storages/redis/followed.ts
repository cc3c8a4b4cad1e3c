/** A follower of a feed that keeps what it is told. */
import type { ChangeFeed } from '../../../src/ports/storage.ts'
import { until } from '../../servers/redis-cluster.ts'

export interface Followed {
  readonly messages: string[]
  readonly gaps: string[]
  stop(): void
  /** Resolves when a message has come, by its end. */
  hears(message: string): Promise<void>
  isTold(): Promise<void>
}

export async function followed({ feed }: { readonly feed: ChangeFeed }): Promise<Followed> {
  const messages: string[] = []
  const gaps: string[] = []
  const stop = await feed.follow(
    (batch) => messages.push(...batch),
    (reason) => gaps.push(reason),
  )
  return {
    messages,
    gaps,
    stop,
    hears: (message) => until(`'${message}' is heard`, async () => messages.at(-1) === message),
    isTold: () => until('a gap is told', async () => gaps.length > 0),
  }
}

export const numbers = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, index) => String(from + index))

export function untilAppended({ feed }: { readonly feed: ChangeFeed }, message: string): Promise<void> {
  return until(`'${message}' is appended`, async () => {
    const [outcome] = await Promise.allSettled([feed.append([message])])
    return outcome.status === 'fulfilled'
  })
}
