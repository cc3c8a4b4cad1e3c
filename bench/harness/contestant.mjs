/**
 * The process of one contestant: it alone is loaded here, so that no other's shapes, hooks and garbage slow it down.
 * Sets up, proves its answers, then runs a round whenever it is told to.
 *
 * A contestant gives `once(i)`, awaited again and again and measured in processor time, or `round(n)`, which returns the
 * milliseconds it took for `n` operations, or `{ ms, ... }` with figures of its own. Also: `check()`, `before(n)` ahead of each round (not timed),
 * `n` where the number of operations is fixed, `close()`.
 */

import { ageHeap } from './aged-heap.mjs'
import { stopwatch } from './stopwatch.mjs'

const [questionName, caseName, contestantName] = process.argv.slice(2)
const { question } = await import(`../questions/${questionName}.mjs`)

let contestant
const commands = {
  async prepare(given) {
    const n = await prepared(given)
    if (!question.isCold) {
      ageHeap()
      // Its full collection makes V8 compile some of the code anew.
      await round(n)
    }
    return { n }
  },
  round: ({ n }) => round(n),
  async finish() {
    await contestant.check?.()
    await contestant.close?.()
    return {}
  },
}

/** @returns how many operations a round has */
async function prepared({ settings, target }) {
  contestant = await question.cases[caseName][contestantName](settings)
  await contestant.check?.()
  // Warm: compiled in its last form, and its pools and tables of the size that they will have.
  const isWarm = (ms) => question.isCold || ms >= 20 * target
  if (contestant.n !== undefined) {
    for (let warm = 0; !isWarm(warm); ) warm += (await round(contestant.n)).ms
    return contestant.n
  }
  let n = 4
  for (let warm = 0, last = 0; !isWarm(warm) || last < target; warm += last) {
    last = (await round(n)).ms
    if (last < target) n *= 2
  }
  const { ms } = await round(n)
  return Math.max(1, Math.round((n * target) / ms))
}

async function round(n) {
  await contestant.before?.(n)
  if (contestant.round !== undefined) {
    const result = await contestant.round(n)
    return typeof result === 'number' ? { ms: result } : result
  }
  const { once } = contestant
  const taken = stopwatch()
  for (let i = 0; i < n; i++) await once(i)
  return { ms: taken() }
}

process.on('message', async ({ command, ...given }) => {
  try {
    process.send({ ok: await commands[command](given) })
  } catch (error) {
    process.send({ failed: String(error?.stack ?? error) })
  }
})
process.on('disconnect', () => process.exit())
process.send({ ok: 'loaded' })
