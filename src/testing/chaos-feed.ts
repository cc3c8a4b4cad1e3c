/**
 * The change feed of a `ChaosStorage`.
 *
 * Invariants: a follower hears its batches in order; while one is held back or late, those after it wait; one
 * that is lost or fails on the way is told as a gap. Owns nothing. May import the storage port and the engine.
 */

import type { ChangeFeed } from '../ports/storage.ts'
import type { ChaosEngine } from './chaos-engine.ts'

export function chaosFeed(feed: ChangeFeed, engine: ChaosEngine): ChangeFeed {
  return {
    heartbeat: feed.heartbeat,
    append: (messages) => engine.call({ operation: 'append', keys: [], run: () => feed.append(messages) }),
    follow: (onMessages, onGap, onHeard) =>
      engine.call({
        operation: 'follow',
        keys: [],
        run: async () => {
          let isStopped = false
          let last: Promise<void> = Promise.resolve()
          let held = 0
          const inOrder = (step: () => Promise<() => void>) => {
            held++
            last = last.then(async () => {
              const tell = isStopped ? undefined : await step()
              held--
              if (!isStopped) tell?.()
            })
          }
          const stop = await feed.follow(
            (messages) =>
              inOrder(async () => {
                const arrived = await deliver(engine, messages)
                return () =>
                  arrived === undefined ? onGap('messages were lost on the way') : onMessages(arrived)
              }),
            (...gap) => inOrder(async () => () => onGap(...gap)),
            // What is held back has not been given: the age would be a lie.
            (age) => held === 0 && onHeard?.(age),
          )
          return () => {
            isStopped = true
            stop()
          }
        },
      }),
  }
}

async function deliver(
  engine: ChaosEngine,
  messages: readonly string[],
): Promise<readonly string[] | undefined> {
  let isLost = false
  try {
    const arrived = await engine.call<readonly string[]>({
      operation: 'deliver',
      keys: [],
      run: () => messages,
      answers: 'many',
      lose: {
        when: 'after',
        run: () => {
          isLost = true
        },
      },
    })
    return isLost ? undefined : arrived
  } catch {
    // There is nobody to report a failed delivery to but its follower.
    return undefined
  }
}
